"""MCP's official conformance suite against the program that serves over HTTP."""

import json
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from harness import HERE, INSTALLED, OAUTH_SECRET, PACKAGES, PATIENCE_SECONDS, Mismatch, run, serving

SUITE = PACKAGES / "node_modules/.bin/conformance"
CALLBACK_PORT = 9377
REVISIONS = ["2025-11-25", "2026-07-28"]

# What needs no tools, prompts and resources of the suite's own, so that any server can pass it.
ANY_SERVER = {
    "2025-11-25": [
        "dns-rebinding-protection",
        "ping",
        "prompts-list",
        "resources-list",
        "server-initialize",
        "server-session-lifecycle",
        "server-sse-multiple-streams",
        "server-sse-polling",
        "tools-list",
    ],
    "2026-07-28": [
        "caching",
        "dns-rebinding-protection",
        "http-header-validation",
        "input-required-result-unsupported-methods",
        "prompts-list",
        "resources-list",
        "sep-2164-resource-not-found",
        "server-sse-multiple-streams",
        "tools-list",
    ],
}


def check(tally, path):
    # A program beside ours knows where the component lies that has what the suite asks for.
    knows = path.parent / "examples/conformance"
    if not knows.is_file() and not os.environ.get("CI"):
        tally.skip("conformance: all that is required", "its component is not built; cargo test --release does that")
    elif component := tally.check("conformance: there is its component", lambda: run([knows]).strip()):
        with serving(path, DAKTELA_COMPONENT=component) as (origin, _):
            for revision in REVISIONS:
                required = ["--requirements", revision]
                if (baseline := HERE / f"conformance-{revision}.yml").is_file():
                    required += ["--expected-failures", baseline]
                tally.check(f"conformance: all of {revision}", lambda required=required: suite(origin, *required))
    with serving(path) as (origin, _):
        for revision, scenarios in ANY_SERVER.items():
            for scenario in scenarios:
                one = ["--scenario", scenario, "--spec-version", revision]
                tally.check(f"conformance: {scenario} of {revision}, as it comes", lambda one=one: suite(origin, *one))
    with serving(path, OAUTH_SECRET=OAUTH_SECRET) as (origin, user):
        tally.check("conformance: authorization server", lambda: authorization(origin, user))


def suite(origin, *arguments):
    run([SUITE, "server", "--url", f"{origin}/mcp", "--output-dir", INSTALLED / "conformance", *arguments])


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def approve(url, origin, user):
    """What a person does with the page."""
    browser = urllib.request.build_opener(Stay)
    shown = browser.open(url)
    login = re.search('name="login" value="([^"]+)"', shown.read().decode())[1]
    fields = {"login": login, **{name: user[name] for name in ("instance", "username", "password")}}
    headers = {"cookie": shown.headers["set-cookie"].split(";")[0], "origin": origin}
    try:
        browser.open(urllib.request.Request(f"{origin}/authorize", urllib.parse.urlencode(fields).encode(), headers))
    except urllib.error.HTTPError as sent:
        urllib.request.urlopen(sent.headers["location"]).read()


def authorization(origin, user):
    redirect = f"http://127.0.0.1:{CALLBACK_PORT}/callback"
    body = json.dumps({"client_name": "conformance", "redirect_uris": [redirect]}).encode()
    registration = urllib.request.Request(f"{origin}/register", body, {"content-type": "application/json"})
    client = json.load(urllib.request.urlopen(registration))["client_id"]
    command = [SUITE, "authorization", "--url", origin, "--client-id", client, "--resource", f"{origin}/mcp"]
    command += ["-p", str(CALLBACK_PORT), "--output-dir", INSTALLED / "conformance"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        said = ""
        for line in child.stdout:
            said += line
            if page := re.match(re.escape(origin) + r"/authorize\?\S+", line):
                approve(page[0], origin, user)
        ended = child.wait(PATIENCE_SECONDS)
    if ended != 0 or "0 failed" not in said.split("Total:")[-1]:
        raise Mismatch(said[-3000:])
