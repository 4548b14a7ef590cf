"""The program for Windows under wine, beside the one for Linux: windows.py PROGRAM.exe PROGRAM

What both print has to be the same bytes: in a folder with blanks and umlauts, with ends of lines of Windows, in consoles of other
code pages. Ctrl+C ends it. A token that `setup` keeps in the Credential Manager is found again.
"""

import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
from harness import Mismatch, Tally

SECONDS = 120


def same(found, wanted):
    if found != wanted:
        raise Mismatch(f"{found!r} is not {wanted!r}")


class Both:
    def __init__(self, windows, linux, folder):
        self.linux = linux
        # As somebody may have unpacked it.
        self.windows = folder / "Příliš žluťoučký kůň" / "mcp daktela.exe"
        self.windows.parent.mkdir()
        shutil.copy(windows, self.windows)
        self.folder = folder

    def run(self, *arguments, given=b"", variables=None):
        """Exit code and output under Windows."""
        command = ["wine", str(self.windows), *arguments]
        done = subprocess.run(
            command, input=given, capture_output=True, timeout=SECONDS, env={**os.environ, **(variables or {})}, check=False
        )
        return done.returncode, done.stdout

    def console(self, page, *arguments):
        """What a console of a code page shows, without blanks, since it wraps lines. `script` gives it a terminal."""
        # A batch file is read in the console's code page, so the path in it is a plain one.
        program = self.folder / "mcp-daktela.exe"
        shutil.copy(self.windows, program)
        batch = self.folder / "in-console.bat"
        batch.write_text(f'@chcp {page} >nul\r\n@"{drive(program)}" {" ".join(arguments)}\r\n', "ascii", newline="")
        command = ["script", "--quiet", "--return", "--command", f"wine cmd /c '{drive(batch)}'", "/dev/null"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
        shown = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", done.stdout).decode("utf-8")
        return "".join(shown.split())

    def run_linux(self, *arguments, given=b""):
        done = subprocess.run([self.linux, *arguments], input=given, capture_output=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout

    def equal(self, *arguments, **options):
        same(plain(self.run(*arguments, **options)), plain(self.run_linux(*arguments, given=options.get("given", b""))))


def plain(result):
    """The sample company listens on another port each time, and the programs have other names."""
    code, text = result
    text = re.sub(rb"http://127\.0\.0\.1:\d+", b"http://demo", text)
    return code, re.sub(rb'(?m)("command": |-- ).*$', rb"\1", text)


def drive(path):
    return "Z:" + str(path).replace("/", "\\")


def lines(*messages, end=b"\r\n"):
    return b"".join(json.dumps(message).encode() + end for message in messages)


def speaks_with_ends_of_lines_of_windows(both):
    client = {"name": "x", "version": "0"}
    given = lines(
        {"jsonrpc": "2.0", "id": 1, "method": "initialize",
         "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
         "params": {"name": "count_tickets", "arguments": {"user": "Jan Novák"}}},
    )
    both.equal("--demo", given=given)


def shows_umlauts(page, both):
    shown = both.console(page, "--demo", "call", "list_users")
    if "TomášNovák" not in shown:
        raise Mismatch(shown[:1000])


def ends_on_ctrl_c(both):
    server = subprocess.Popen(
        ["wine", str(both.windows), "--demo", "--transport", "streamable-http", "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    for line in server.stderr:
        if '"listening"' in line:
            break
    server.send_signal(signal.SIGINT)
    server.stderr.close()
    server.wait(SECONDS)


def keeps_a_token(both):
    server = subprocess.Popen(
        [both.linux, "--demo", "--transport", "streamable-http", "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    try:
        events = (json.loads(line) for line in server.stderr)
        company = next(event for event in events if event.get("event") == "sample_company")
        home = both.folder / "home"
        (home / "Roaming/Claude").mkdir(parents=True)
        variables = {"APPDATA": drive(home / "Roaming"), "USERPROFILE": drive(home), "DAKTELA_URL": company["instance"]}
        token = {"DAKTELA_ACCESS_TOKEN": company["api_token"]}
        code, said = both.run("setup", "--client", "claude-desktop", "--yes", variables={**variables, **token})
        same((code, b"Credential Manager" in said), (0, True))
        entry = json.loads((home / "Roaming/Claude/claude_desktop_config.json").read_text("utf-8"))
        same(entry["mcpServers"]["daktela"]["env"], {"DAKTELA_URL": company["instance"]})
        same(both.run("check", variables=variables)[0], 0)
        same(both.run("setup", "--remove", "--yes", variables=variables)[0], 0)
        same(both.run("check", variables=variables)[0], 2)
    finally:
        server.terminate()
        server.wait(SECONDS)


CHECKS = [
    ("the tour is the same", lambda both: both.equal("demo")),
    ("the tools are the same", lambda both: both.equal("tools", "--json")),
    ("a check is the same", lambda both: both.equal("--demo", "check")),
    ("an unknown tool is an error of usage", lambda both: both.equal("--demo", "call", "nothing")),
    ("umlauts in arguments are understood", lambda both: both.equal("--demo", "call", "count_tickets", '{"user":"Tomáš Novák"}')),
    ("umlauts in a console of code page 852", functools.partial(shows_umlauts, 852)),
    ("umlauts in a console of code page 1250", functools.partial(shows_umlauts, 1250)),
    ("ends of lines of Windows", speaks_with_ends_of_lines_of_windows),
    ("Ctrl+C ends it", ends_on_ctrl_c),
    ("a token is kept in the Credential Manager", keeps_a_token),
]


def main():
    windows, linux = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="windows-") as folder:
        both = Both(windows, linux, pathlib.Path(folder))
        for name, judge in CHECKS:
            tally.check(name, lambda judge=judge: judge(both))
    return tally.close()


sys.exit(main())
