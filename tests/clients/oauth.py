"""Logs in through OAuth with the official SDKs, against the program that serves the sample company over HTTP."""

from harness import HERE, INSTALLED, OAUTH_SECRET, PACKAGES, Mismatch, run_for_json, serving

# Name, where it is installed, the command.
CLIENTS = [
    ("TypeScript SDK 1", "node", ["node", HERE / "oauth.mjs", "v1"]),
    ("TypeScript SDK 2", "node", ["node", HERE / "oauth.mjs", "v2"]),
    ("Python SDK 1", "python1", [INSTALLED / "python1/bin/python", HERE / "oauth_sdk.py", "v1"]),
    ("Python SDK 2", "python2", [INSTALLED / "python2/bin/python", HERE / "oauth_sdk.py", "v2"]),
]


def check(tally, path, why_not):
    with serving(path, OAUTH_SECRET=OAUTH_SECRET) as (origin, user):
        who = [user[name] for name in ("instance", "username", "password")]
        for name, folder, command in CLIENTS:
            if reason := why_not(folder):
                tally.skip(f"{name} with OAuth", reason)
            else:
                asks = [*command, f"{origin}/mcp", *who]
                tally.check(f"{name} logs in, calls and renews its token", lambda asks=asks: log_in(asks))


def log_in(asks):
    seen = run_for_json(asks, {"PACKAGES": str(PACKAGES)})
    expected = {"refused": True, "answer": "244 tickets (without merged tickets)", "renewed": True}
    if seen != {**expected, "again": expected["answer"]}:
        raise Mismatch(f"{seen}")
