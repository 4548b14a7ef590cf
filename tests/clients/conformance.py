"""MCP's official conformance suite against the program that serves the sample company over HTTP.

tests/clients/conformance.py [PROGRAM]   Node 22 or newer

Most scenarios ask for tools, prompts and resources that only the suite's own sample server has; a component with these does
not exist yet. Here run those that any server can pass, in both revisions, and those for authorization servers.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
INSTALLED = ROOT / "target/clients/conformance"
PACKAGE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
SUITE = INSTALLED / "node_modules/.bin/conformance"
PATIENCE_SECONDS = 120
CALLBACK_PORT = 9377

SCENARIOS = {
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
        "input-required-result-ignore-extra-params",
        "input-required-result-missing-input-response",
        "input-required-result-unsupported-methods",
        "input-required-result-validate-input",
        "prompts-list",
        "resources-list",
        "sep-2164-resource-not-found",
        "server-sse-multiple-streams",
        "server-stateless",
        "tools-list",
    ],
}

# Each needs a tool of the suite's own: test_missing_capability, test_streaming_elicitation, test_logging_tool.
NOT_TESTABLE = """server:
  - server-stateless:sep-2575-server-rejects-undeclared-capability
  - server-stateless:sep-2575-missing-capability-http-400
  - server-stateless:sep-2575-http-server-no-independent-requests-on-stream
  - server-stateless:sep-2575-server-no-log-without-loglevel
"""


def serve(program, more):
    """The program, its address, and a user of the sample company."""
    environment = {"MCP_TRANSPORT": "streamable-http", "PORT": "0", **more}
    child = subprocess.Popen([program, "--demo"], stderr=subprocess.PIPE, text=True, env=environment)
    user = None
    for line in child.stderr:
        event = json.loads(line)
        if event["event"] == "sample_company":
            user = event
        if event["event"] == "listening":
            return child, f"http://{event['address']}", user
    sys.exit("the program does not listen")


def server_scenarios(program):
    child, base, _ = serve(program, {})
    baseline = INSTALLED / "not-testable.yml"
    baseline.write_text(NOT_TESTABLE, "utf-8")
    failed = 0
    try:
        for revision, scenarios in SCENARIOS.items():
            for scenario in scenarios:
                command = [SUITE, "server", "--url", f"{base}/mcp", "--scenario", scenario, "--spec-version", revision]
                if scenario == "server-stateless":
                    command += ["--expected-failures", baseline]
                done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
                failed += done.returncode != 0
                said = "" if done.returncode == 0 else f"\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
                print(f"{'FAILED' if said else 'ok'}: {revision} {scenario}{said}")
    finally:
        child.kill()
    return failed


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def approve(url, base, user):
    """What a person does with the page."""
    browser = urllib.request.build_opener(Stay)
    shown = browser.open(url)
    login = re.search('name="login" value="([^"]+)"', shown.read().decode())[1]
    fields = {"login": login, **{name: user[name] for name in ("instance", "username", "password")}}
    headers = {"cookie": shown.headers["set-cookie"].split(";")[0], "origin": base}
    try:
        browser.open(urllib.request.Request(f"{base}/authorize", urllib.parse.urlencode(fields).encode(), headers))
    except urllib.error.HTTPError as sent:
        urllib.request.urlopen(sent.headers["location"]).read()


def authorization_scenarios(program):
    child, base, user = serve(program, {"OAUTH_SECRET": "fG8hJ2kL5nM1pQ4rS7tV0wX3yZ6aB9cD"})
    try:
        body = json.dumps({"client_name": "conformance", "redirect_uris": [f"http://127.0.0.1:{CALLBACK_PORT}/callback"]})
        headers = {"content-type": "application/json"}
        registered = urllib.request.urlopen(urllib.request.Request(f"{base}/register", body.encode(), headers))
        client = json.load(registered)["client_id"]
        command = [SUITE, "authorization", "--url", base, "--client-id", client, "--resource", f"{base}/mcp"]
        command += ["-p", str(CALLBACK_PORT)]
        suite = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = ""
        for line in suite.stdout:
            said += line
            if page := re.match(re.escape(base) + r"/authorize\?\S+", line):
                approve(page[0], base, user)
        failed = suite.wait() != 0 or "0 failed" not in said.split("Total:")[-1]
        print(f"{'FAILED' if failed else 'ok'}: authorization" + (f"\n{said[-3000:]}" if failed else ""))
        return failed
    finally:
        child.kill()


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/mcp-daktela").resolve()
    INSTALLED.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", INSTALLED, PACKAGE], check=True)
    # The suite leaves its results where it is started.
    os.chdir(INSTALLED)
    failed = server_scenarios(program) + authorization_scenarios(program)
    sys.exit(failed > 0)


main()
