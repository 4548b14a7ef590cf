"""Asks the questions of the checks with the official Python SDK, and prints what it understood, in the wire's words.

python.py v1|auto|legacy|2026-07-28 CHECKS PROGRAM ARGUMENT…   or an address instead of a program
"""

import asyncio
import contextlib
import json
import os
import sys

import anyio
import mcp
from mcp import types
from mcp.client import streamable_http
from mcp.shared import exceptions

McpError = getattr(exceptions, "McpError", None) or exceptions.MCPError


def wire(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


@contextlib.asynccontextmanager
async def first(connection):
    """The first SDK: a session, and its handshake by hand."""
    stray = anyio.Event()

    async def heard(message):
        if isinstance(message, Exception):
            stray.set()

    async with (
        connection as streams,
        mcp.ClientSession(*streams[:2], message_handler=heard) as session,
    ):
        hello = await session.initialize()
        yield session, hello.protocolVersion, hello.serverInfo, hello.instructions
        # It does not tell the server what it cancels, and breaks when the answer comes while it closes.
        with anyio.move_on_after(5):
            await stray.wait()


@contextlib.asynccontextmanager
async def second(connection, mode):
    async with mcp.Client(connection, mode=mode) as client:
        if mode not in ("auto", "legacy"):
            # A client that is told the revision does not ask who the server is unless made to.
            client.session.adopt(types.DiscoverResult.model_validate(await client.session.send_discover(mode)))
        yield client, client.protocol_version, client.server_info, client.instructions


def request(client, method, params, heard):
    match method:
        case "tools/list":
            return client.list_tools()
        case "tools/call":
            return client.call_tool(params["name"], params["arguments"], progress_callback=heard)
        case "resources/list":
            return client.list_resources()
        case "resources/templates/list":
            return client.list_resource_templates()
        case "resources/read":
            return client.read_resource(params["uri"])
        case "prompts/list":
            return client.list_prompts()
        case "prompts/get":
            return client.get_prompt(params["name"], params["arguments"])
        case "completion/complete":
            return client.complete(types.PromptReference(**params["ref"]), params["argument"])


async def ask(client, question):
    """News that come together with the answer are lost, so a question that wants some is asked a few times."""
    for _ in range(10):
        answer = await ask_once(client, question)
        if len(answer["progress"]) >= question.get("hear", 0):
            break
    return answer


async def ask_once(client, question):
    progress = []
    answer = {}
    with anyio.CancelScope() as scope:

        async def heard(done, _total, _message):
            progress.append(done)
            if question.get("cancel"):
                scope.cancel()

        listener = heard if "hear" in question else None
        try:
            answer["result"] = wire(await request(client, question["ask"], question.get("params"), listener))
        except McpError as failure:
            answer["error"] = wire(failure.error)
    if scope.cancelled_caught:
        answer["cancelled"] = True
    return {**answer, "progress": progress}


def connect(mode, log, program, *arguments):
    if program.startswith("http://"):
        return streamable_http.streamablehttp_client(program) if mode == "v1" else streamable_http.streamable_http_client(program)
    return mcp.stdio_client(mcp.StdioServerParameters(command=program, args=arguments), errlog=log)


async def main(mode, checks, *server):
    with open(checks, encoding="utf-8") as file, open(os.devnull, "w", encoding="utf-8") as log:
        questions = json.load(file)
        connection = connect(mode, log, *server)
        async with first(connection) if mode == "v1" else second(connection, mode) as (client, *hello):
            revision, info, instructions = hello
            answers = [await ask(client, question) for question in questions]
    hello = {"revision": revision, "server": wire(info), "instructions": instructions}
    json.dump({"hello": hello, "answers": answers}, sys.stdout)


asyncio.run(main(*sys.argv[1:]))
