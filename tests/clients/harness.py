"""What the scripts beside this one share: running commands, judging what they say, installing, serving."""

import contextlib
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
INSTALLED = ROOT / "target/clients"
PACKAGES = INSTALLED / "node"

# A client that hangs has failed.
PATIENCE_SECONDS = 120
INSTALL_SECONDS = 900

# Of the tests alone, and as long as a secret has to be.
OAUTH_SECRET = "fG8hJ2kL5nM1pQ4rS7tV0wX3yZ6aB9cDeF0gH1iJ2kA="


class Mismatch(Exception):
    """What is expected, and what there is."""


def run(command, seconds=PATIENCE_SECONDS, environment=None):
    """What a command prints. Settings of the developer's Daktela reach none."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DAKTELA_", "CACHE_", "LOG_"))}
    # The Inspector would keep a file in the home folder.
    own = {"MCP_CATALOG_PATH": str(INSTALLED / "catalog.json"), **(environment or {})}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=seconds,
            env={**kept, **own},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Mismatch(f"no end after {seconds} s: {' '.join(map(str, command))}") from None
    except OSError as error:
        raise Mismatch(str(error)) from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise Mismatch(f"exit code {done.returncode}: {' '.join(map(str, command))}\n{said}")
    return done.stdout


def run_for_json(command, environment=None):
    said = same_port(run(command, environment=environment))
    try:
        return json.loads(said)
    except ValueError:
        raise Mismatch(f"no JSON: {said[:2000]}") from None


def same_port(text):
    """The sample company listens on another port in each process."""
    return re.sub(r"http://127\.0\.0\.1:\d+", "http://demo", text)


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, judge):
        """What the judge returns, or None where it found a mismatch."""
        try:
            found = judge()
        except Mismatch as mismatch:
            self.failed += 1
            print(f"FAILED  {name}: {mismatch}", flush=True)
            return None
        self.passed += 1
        print(f"ok      {name}", flush=True)
        return found

    def skip(self, name, reason):
        self.skipped += 1
        print(f"SKIPPED: {name} because {reason}", flush=True)

    def close(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}")
        return 1 if self.failed else 0


# Installing


def install(folder, packages, *commands):
    """Runs commands that fill a folder, unless it holds these packages already."""
    mark, wanted = folder / "installed.txt", "\n".join(packages)
    if mark.exists() and mark.read_text("utf-8") == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in commands:
        run(command, INSTALL_SECONDS)
    mark.write_text(wanted, "utf-8")


def install_python(folder, packages):
    pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    install(folder, packages, [sys.executable, "-m", "venv", folder], pip)


def install_node(packages):
    install(PACKAGES, packages, ["npm", "install", "--prefix", PACKAGES, "--no-audit", "--no-fund", *packages])


def apt(*packages):
    """Installs what the machine lacks, on CI alone: nothing is skipped there that can be had."""
    if os.environ.get("CI") and shutil.which("apt-get") and os.geteuid() == 0:
        run(["apt-get", "update", "--quiet"], INSTALL_SECONDS)
        run(["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *packages], INSTALL_SECONDS)


def why_no_python():
    def has_venv():
        return importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")

    if not has_venv():
        apt("python3-venv")
    return None if has_venv() else "python3 has no venv or no ensurepip"


def why_no_program(needed, *packages):
    if not all(map(shutil.which, needed)):
        apt(*packages)
    missing = [program for program in needed if not shutil.which(program)]
    return f"there is no {' and no '.join(missing)}" if missing else None


def node_version():
    return tuple(int(part) for part in run(["node", "--version"]).strip().lstrip("v").split(".")[:2])


# Serving


@contextlib.contextmanager
def serving(program, **variables):
    """The program as a server of the sample company: its origin, and a user there."""
    environment = {"MCP_TRANSPORT": "streamable-http", "PORT": "0", **variables}
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as log:
        child = subprocess.Popen([program, "--demo"], stderr=log, env=environment)
        try:
            yield listening(child, pathlib.Path(log.name))
        finally:
            child.kill()
            child.wait()


def listening(child, log):
    events = {}
    until = time.monotonic() + PATIENCE_SECONDS
    while "listening" not in events:
        if child.poll() is not None or time.monotonic() > until:
            raise Mismatch(f"the program does not listen: {log.read_text('utf-8')}")
        time.sleep(0.05)
        whole = log.read_text("utf-8").rpartition("\n")[0]
        events = {event["event"]: event for event in map(json.loads, whole.splitlines())}
    return f"http://{events['listening']['address']}", events["sample_company"]
