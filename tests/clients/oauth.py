"""Logs in through OAuth with the official SDKs, against the program that serves the sample company over HTTP.

tests/clients/oauth.py [PROGRAM]   after tests/clients/run, which installs the SDKs
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
INSTALLED = ROOT / "target/clients"
SECRET = "fG8hJ2kL5nM1pQ4rS7tV0wX3yZ6aB9cD"
PATIENCE_SECONDS = 60

CLIENTS = [
    ("TypeScript SDK 1", ["node", HERE / "oauth.mjs", "v1"]),
    ("TypeScript SDK 2", ["node", HERE / "oauth.mjs", "v2"]),
    ("Python SDK 1", [INSTALLED / "python1/bin/python", HERE / "oauth_sdk.py", "v1"]),
    ("Python SDK 2", [INSTALLED / "python2/bin/python", HERE / "oauth_sdk.py", "v2"]),
]


def serve(program):
    """The program, its endpoint, and a user of the sample company."""
    environment = {"MCP_TRANSPORT": "streamable-http", "PORT": "0", "OAUTH_SECRET": SECRET}
    child = subprocess.Popen([program, "--demo"], stderr=subprocess.PIPE, text=True, env=environment)
    user = None
    for line in child.stderr:
        event = json.loads(line)
        if event["event"] == "sample_company":
            user = [event[name] for name in ("instance", "username", "password")]
        if event["event"] == "listening":
            return child, f"http://{event['address']}/mcp", user
    sys.exit("the program does not listen")


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/mcp-daktela"
    child, endpoint, user = serve(program)
    failed = 0
    try:
        for name, command in CLIENTS:
            environment = {**os.environ, "PACKAGES": str(INSTALLED / "node")}
            done = subprocess.run(
                [*command, endpoint, *user], capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=environment, check=False
            )
            seen = json.loads(done.stdout) if done.returncode == 0 else {}
            fits = seen.get("renewed") is True and seen["refused"] is True and seen["answer"] == seen["again"] and "244" in seen["answer"]
            failed += not fits
            print(f"{'ok' if fits else 'FAILED'}: {name}" + ("" if fits else f"\n{done.stdout}{done.stderr[-3000:]}"))
    finally:
        child.kill()
    sys.exit(failed > 0)


main()
