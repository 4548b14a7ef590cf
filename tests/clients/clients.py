"""Installs the clients, lets each ask the questions of checks.json over stdio and over HTTP, and judges what it understood.
Then come OAuth, the conformance suite and the login page, each in a file of its own.

An expectation is JSON. What it does not name may be there, too; a list is expected whole. In it
{"$call": [TOOL, ARGUMENTS]} stands for what the program prints for that call, {"$file": PATH} for a file of the
repository, {"$tools": "all"} for exactly the golden files of all tools in the order of the catalogue, and {"$rising": N}
for at least N numbers of which each is greater than the one before. "modern" is expected besides by 2026-07-28; "hear"
wants so many news of progress, and "cancel" stops at the first.
"""

import concurrent.futures
import functools
import json
import os
import pathlib
import sys

import conformance
import login_page
import oauth
from harness import (
    HERE,
    INSTALLED,
    PACKAGES,
    ROOT,
    Mismatch,
    Tally,
    install_node,
    install_python,
    node_version,
    run,
    run_for_json,
    same_port,
    serving,
    why_no_program,
    why_no_python,
)

PYTHON_SDKS = {"python1": ["mcp[cli]==1.30.0"], "python2": ["mcp[cli]==2.3.0"]}
NODE_PACKAGES = [
    "@modelcontextprotocol/sdk@1.32.2",
    "@modelcontextprotocol/client@2.4.0",
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "@modelcontextprotocol/inspector@2.12.0",
    "zod@4.6.7",
]
# For the Inspector and the conformance suite, where the machine's own is older than they need.
NODE = "node@22.23.3"
NODE_NEEDED = (22, 19)

LEGACY, MODERN = "2025-11-25", "2026-07-28"
# Name, language, the SDK's folder, mode, the revision that client and server settle on.
CLIENTS = [
    ("Python SDK 1", "python", "python1", "v1", LEGACY),
    ("Python SDK 2 auto", "python", "python2", "auto", MODERN),
    ("Python SDK 2 legacy", "python", "python2", "legacy", LEGACY),
    ("Python SDK 2 pinned", "python", "python2", MODERN, MODERN),
    ("TypeScript SDK 1", "node", "node", "v1", LEGACY),
    ("TypeScript SDK 2 auto", "node", "node", "auto", MODERN),
    ("TypeScript SDK 2 legacy", "node", "node", "legacy", LEGACY),
    ("TypeScript SDK 2 pinned", "node", "node", MODERN, MODERN),
]
ERAS = ["legacy", "auto", "modern"]


class Program:
    def __init__(self, path):
        self.path = str(path)

    def say(self, *arguments):
        return run([self.path, *arguments]).strip()

    @functools.cache
    def call(self, tool, arguments):
        return same_port(self.say("call", tool, arguments, "--demo"))

    @functools.cached_property
    def tools(self):
        """What tools/list has to answer: the golden files, in the order in which the program lists its tools."""
        names = [line.split()[0] for line in self.say("tools", "--demo").splitlines()]
        return [json.loads((ROOT / f"tests/golden/tools/{name}.json").read_text("utf-8")) for name in names]

    @functools.cached_property
    def hello(self):
        name, version = self.say("--version").split()
        instructions = (ROOT / "guest/src/mcp/instructions.md").read_text("utf-8").strip()
        return {"server": {"name": name, "title": "Daktela", "version": version}, "instructions": instructions}


# Judging


def compare(expected, actual, program, place="answer", exactly=False):
    if isinstance(expected, dict) and len(expected) == 1 and next(iter(expected)).startswith("$"):
        expected, exactly = meaning(expected, actual, program, place), True
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key not in actual:
                raise Mismatch(f"{place} lacks {key}: {shown(actual)}")
            compare(value, actual[key], program, f"{place}.{key}", exactly)
        if exactly and actual.keys() != expected.keys():
            raise Mismatch(f"{place} also has {', '.join(sorted(actual.keys() - expected.keys()))}")
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            raise Mismatch(f"{place} has {len(actual)} items, not {len(expected)}: {shown(actual)}")
        for index, (one, other) in enumerate(zip(expected, actual)):
            compare(one, other, program, f"{place}[{index}]", exactly)
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):  # 1 == True in Python
        if isinstance(expected, str) and isinstance(actual, str):
            # Long texts from a little before they part.
            start = max(0, len(os.path.commonprefix([expected, actual])) - 60)
            expected, actual = expected[start:], actual[start:]
        raise Mismatch(f"{place}\nexpected {shown(expected)}\nnot      {shown(actual)}")


def meaning(expected, actual, program, place):
    ((kind, value),) = expected.items()
    if kind == "$call":
        return program.call(value[0], json.dumps(value[1]))
    if kind == "$file":
        return (ROOT / value).read_text("utf-8")
    if kind == "$tools":
        golden = {path.stem for path in (ROOT / "tests/golden/tools").glob("*.json")}
        listed = {tool["name"] for tool in program.tools}
        if listed != golden:
            raise Mismatch(f"the program's tools are not the golden files: {sorted(listed ^ golden)}")
        hints = {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
        for tool in program.tools:
            if not tool["title"] or tool["inputSchema"]["type"] != "object" or not hints <= tool["annotations"].keys():
                raise Mismatch(f"{tool['name']} lacks a title, a schema or a hint")
        return program.tools
    if kind == "$rising":
        if len(actual) < value or any(one >= other for one, other in zip(actual, actual[1:])):
            raise Mismatch(f"{place}\nexpected {value} or more rising numbers\nnot      {actual}")
        return actual
    raise Mismatch(f"checks.json says {kind}, which means nothing")


def shown(value):
    return json.dumps(value, ensure_ascii=False)[:1000]


# Asking


def ask_and_judge(tally, program, client, over, server):
    """`server` is what a client is told of it: a command or an address."""
    name, language, folder, mode, revision = client
    name = f"{name} over {over}"
    checks = json.loads((HERE / "checks.json").read_text("utf-8"))
    interpreter = INSTALLED / folder / "bin/python" if language == "python" else "node"
    script = HERE / {"python": "python.py", "node": "typescript.mjs"}[language]
    asks = [interpreter, script, mode, HERE / "checks.json", *server]
    heard = tally.check(f"{name} asks", lambda: run_for_json(asks, {"PACKAGES": str(PACKAGES)}))
    if not heard:
        return
    hello = {"revision": revision, **program.hello}
    tally.check(f"{name} connects by {revision}", lambda: compare(hello, heard["hello"], program, "hello"))
    for check, answer in zip(checks, heard["answers"], strict=True):

        def judge(check=check, answer=answer):
            compare(check["expect"], answer, program)
            if revision == MODERN:
                compare(check.get("modern", {}), answer, program)

        tally.check(f"{name} {check['check']}", judge)


def inspect(tally, program, over, server):
    """The Inspector's command line. With --strict it fails where a schema is not portable between clients."""

    def ask(era, *arguments):
        inspector = [PACKAGES / "node_modules/.bin/mcp-inspector", "--cli", "--protocol-era", era, "--format", "json"]
        where = ["--", *server] if over == "stdio" else [*server, "--transport", "http"]
        # Options stand before a command, and after an address.
        words = [*arguments, *where] if over == "stdio" else [*where, *arguments]
        return run_for_json([*inspector, *words])

    for era in ERAS:
        listed = functools.partial(ask, era, "--method", "tools/list", "--strict")
        tally.check(
            f"Inspector {era} over {over} finds nothing wrong with the tools",
            lambda listed=listed: compare({"result": {"tools": {"$tools": "all"}}}, listed(), program),
        )
    arguments = {"stage": "OPEN"}
    called = functools.partial(ask, "modern", "--method", "tools/call", "--tool-name", "count_tickets")
    expected = {"content": [{"type": "text", "text": {"$call": ["count_tickets", arguments]}}], "isError": False}
    tally.check(
        f"Inspector modern over {over} calls a tool",
        lambda: compare({"result": expected}, called("--tool-args-json", json.dumps(arguments)), program),
    )


def main(path=ROOT / "target/release/mcp-daktela"):
    path = pathlib.Path(path).resolve()
    if not path.is_file():
        sys.exit(f"there is no {path}; build it with: cargo build --release")
    tally, program = Tally(), Program(path)
    no_python, no_node = why_no_python(), why_no_program(["node", "npm"], "nodejs", "npm")

    installs = []
    if not no_python:
        installs += [(sdk, install_python, INSTALLED / sdk, packages) for sdk, packages in PYTHON_SDKS.items()]
    if not no_node:
        old = node_version() < NODE_NEEDED
        installs.append(("node", install_node, NODE_PACKAGES + [NODE] * old))
        if old:
            os.environ["PATH"] = f"{PACKAGES / 'node_modules/node/bin'}{os.pathsep}{os.environ['PATH']}"
    broken = set()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = {pool.submit(*job): folder for folder, *job in installs}
        for job in concurrent.futures.as_completed(jobs):
            tally.check(f"{jobs[job]} is installed", job.result)
            if job.exception():
                broken.add(jobs[job])

    def why_not(folder):
        """None where what is installed in the folder can run."""
        missing = no_node if folder == "node" else no_python
        return missing or ("it is not installed" if folder in broken else None)

    for client in CLIENTS:
        if reason := why_not(client[2]):
            tally.skip(client[0], reason)
    clients = [client for client in CLIENTS if not why_not(client[2])]
    with serving(path) as (origin, _):
        for over, server in [("stdio", [path, "--demo"]), ("HTTP", [f"{origin}/mcp"])]:
            for client in clients:
                ask_and_judge(tally, program, client, over, server)
            if not why_not("node"):
                inspect(tally, program, over, server)
    oauth.check(tally, path, why_not)
    if reason := why_not("node"):
        tally.skip("Inspector, conformance suite, login page", reason)
    else:
        conformance.check(tally, path)
        login_page.check(tally, path)
    return tally.close()


sys.exit(main(*sys.argv[1:]))
