"""Logs in through OAuth with the official Python SDK, calls a tool, and prints what it saw.

oauth_sdk.py v1|v2 ENDPOINT INSTANCE USERNAME PASSWORD
"""

import asyncio
import importlib
import json
import re
import sys
import urllib.parse

from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientMetadata

SDK, ENDPOINT, INSTANCE, USERNAME, PASSWORD = sys.argv[1:]
# The second SDK moved to the successor of the first one's HTTP client.
http = importlib.import_module("httpx" if SDK == "v1" else "httpx2")
REDIRECT = "http://localhost:51234/callback"


class Storage:
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Browser:
    opened = 0
    back = None

    async def open(self, url):
        """What a browser does with the page."""
        self.opened += 1
        async with http.AsyncClient() as client:
            shown = await client.get(url)
            login = re.search('name="login" value="([^"]+)"', shown.text)[1]
            origin = urllib.parse.urljoin(url, "/").rstrip("/")
            fields = {"login": login, "instance": INSTANCE, "username": USERNAME, "password": PASSWORD}
            done = await client.post(f"{origin}/authorize", data=fields, headers={"origin": origin})
            self.back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(done.headers["location"]).query))

    async def answer(self):
        if SDK == "v1":
            return self.back["code"], self.back.get("state")
        from mcp.shared.auth import AuthorizationCodeResult

        return AuthorizationCodeResult(**{name: self.back.get(name) for name in ("code", "state", "iss")})


def provider(storage, browser):
    metadata = OAuthClientMetadata(client_name="tests", redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
    return OAuthClientProvider(ENDPOINT, metadata, storage, browser.open, browser.answer)


async def call(auth):
    if SDK == "v1":
        from mcp.client.streamable_http import streamablehttp_client

        connection = streamablehttp_client(ENDPOINT, auth=auth)
    else:
        from mcp.client.streamable_http import streamable_http_client

        connection = streamable_http_client(ENDPOINT, http_client=http.AsyncClient(auth=auth))
    async with connection as streams, ClientSession(streams[0], streams[1]) as client:
        await client.initialize()
        return (await client.call_tool("count_tickets", {})).content[0].text


async def main():
    storage, browser = Storage(), Browser()
    auth = provider(storage, browser)
    answer = await call(auth)
    refused = browser.opened == 1
    # The SDK refreshes by the clock, without asking anybody.
    before = storage.tokens.refresh_token
    auth.context.token_expiry_time = 1
    again = await call(auth)
    renewed = storage.tokens.refresh_token != before and browser.opened == 1
    print(json.dumps({"refused": refused, "answer": answer, "again": again, "renewed": renewed}))


asyncio.run(main())
