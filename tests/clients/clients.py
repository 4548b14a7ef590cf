"""Installs the clients, lets each ask the questions of checks.json, and judges what it understood.

An expectation is JSON. What it does not name may be there, too; a list is expected whole. In it
{"$call": [TOOL, ARGUMENTS]} stands for what the program prints for that call, {"$file": PATH} for a file of the
repository, {"$tools": N} for exactly the golden files of all N tools in the order of the catalogue, and {"$rising": N}
for at least N numbers of which each is greater than the one before. "modern" is expected besides by 2026-07-28; "hear"
wants so many news of progress, and "cancel" stops at the first.
"""

import concurrent.futures
import functools
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
INSTALLED = ROOT / "target/clients"
PACKAGES = INSTALLED / "node"

PYTHON_SDKS = {"python1": ["mcp[cli]==1.30.0"], "python2": ["mcp[cli]==2.3.0"]}
NODE_PACKAGES = [
    "@modelcontextprotocol/sdk@1.32.2",
    "@modelcontextprotocol/client@2.4.0",
    "@modelcontextprotocol/inspector@2.12.0",
    "zod@4.6.7",
]
# For the Inspector, where the machine's own is older than it needs.
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

# A client that hangs has failed.
PATIENCE_SECONDS = 120
INSTALL_SECONDS = 900


class Mismatch(Exception):
    """What is expected, and what there is."""


class Program:
    def __init__(self, path):
        self.command = [str(path), "--demo"]

    def say(self, *arguments):
        return run([self.command[0], *arguments]).strip()

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
        instructions = (ROOT / "guest/src/instructions.md").read_text("utf-8").strip()
        return {"server": {"name": name, "title": "Daktela", "version": version}, "instructions": instructions}


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
        if len(program.tools) != value:
            raise Mismatch(f"the catalogue has {len(program.tools)} tools, not {value}")
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


# Asking


def ask_and_judge(tally, program, client):
    name, language, folder, mode, revision = client
    checks = json.loads((HERE / "checks.json").read_text("utf-8"))
    interpreter = INSTALLED / folder / "bin/python" if language == "python" else "node"
    script = HERE / {"python": "python.py", "node": "typescript.mjs"}[language]
    asks = [interpreter, script, mode, HERE / "checks.json", *program.command]
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


def inspect(tally, program):
    """The Inspector's command line. With --strict it fails where a schema is not portable between clients."""

    def ask(era, *arguments):
        inspector = [PACKAGES / "node_modules/.bin/mcp-inspector", "--cli", "--protocol-era", era, "--format", "json"]
        return run_for_json([*inspector, *arguments, "--", *program.command])

    for era in ERAS:
        listed = functools.partial(ask, era, "--method", "tools/list", "--strict")
        tally.check(
            f"Inspector {era} finds nothing wrong with the tools",
            lambda listed=listed: compare({"result": {"tools": {"$tools": 40}}}, listed(), program),
        )
    arguments = {"stage": "OPEN"}
    called = functools.partial(ask, "modern", "--method", "tools/call", "--tool-name", "count_tickets")
    expected = {"content": [{"type": "text", "text": {"$call": ["count_tickets", arguments]}}], "isError": False}
    tally.check(
        "Inspector modern calls a tool",
        lambda: compare({"result": expected}, called("--tool-args-json", json.dumps(arguments)), program),
    )


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


def why_no_python():
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        return "python3 has no venv or no ensurepip"
    return None


def why_no_node():
    missing = [tool for tool in ("node", "npm") if not shutil.which(tool)]
    return f"there is no {' and no '.join(missing)}" if missing else None


def node_version():
    return tuple(int(part) for part in run(["node", "--version"]).strip().lstrip("v").split(".")[:2])


def main(path=ROOT / "target/release/mcp-daktela"):
    path = pathlib.Path(path).resolve()
    if not path.is_file():
        sys.exit(f"there is no {path}; build it with: cargo build --release")
    tally, program = Tally(), Program(path)
    no_python, no_node = why_no_python(), why_no_node()

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

    for client in CLIENTS:
        name, language, folder, *_ = client
        reason = {"python": no_python, "node": no_node}[language]
        if reason:
            tally.skip(name, reason)
        elif folder not in broken:
            ask_and_judge(tally, program, client)
    if no_node:
        tally.skip("Inspector", no_node)
    elif "node" not in broken:
        inspect(tally, program)
    return tally.close()


sys.exit(main(*sys.argv[1:]))
