"""Packs a release twice, judges its files with others' tools, installs it in every way that works on this machine, and asks each
installed program a question. Then the requirements of directories, a line each.
"""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
from harness import ROOT, Mismatch, Tally, run

import directories

PACK = ROOT / "host/packaging/pack.py"
PROJECT = json.loads((ROOT / "host/packaging/project.json").read_text("utf-8"))
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]["package"]["version"]
QUESTION = ["--demo", "call", "count_tickets"]
ANSWER = "244 tickets (without merged tickets)\n"
FIRST_ANSWER_SECONDS = 10

# A release for all systems: what is tried of the others' is the packing, so that their programs may be anything.
OTHERS = ["aarch64-unknown-linux-musl", "universal-apple-darwin", "x86_64-pc-windows-msvc"]
RUNS_HERE = "x86_64-unknown-linux-musl"


def expect(is_so, what):
    if not is_so:
        raise Mismatch(what)


def same(found, wanted):
    expect(found == wanted, f"{found!r} is not {wanted!r}")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Stdio:
    """A client that starts a command and speaks lines of JSON with it."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        client = {"name": "packaging", "version": "0"}
        self.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method, params=None):
        self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}})
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        expect(ready, f"no answer to {method}")
        line = self.process.stdout.readline()
        expect(line, f"the program ended at {method}")
        answer = json.loads(line)
        expect("result" in answer, f"{method}: {answer.get('error')}")
        return answer["result"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Packaging:
    def __init__(self, program, work):
        self.work = work
        # Released without names of functions, as the profile `shipping` leaves it.
        self.program = work / "mcp-daktela"
        run(["strip", "-o", self.program, program])
        self.dist = work / "dist"
        self.home = work / "home"
        self.home.mkdir()
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home)}

    def pack(self, targets, out):
        programs = self.work / f"programs-{out}"
        for target in targets:
            folder = programs / target
            folder.mkdir(parents=True)
            name = "mcp-daktela.exe" if "windows" in target else "mcp-daktela"
            shutil.copy2(self.program, folder / name)
        run([sys.executable, PACK, programs, self.work / out], 600)
        return self.work / out

    def packed_twice_the_same(self):
        self.pack(["x86_64-unknown-linux-gnu"], "dist")
        sums = (self.dist / "SHA256SUMS").read_text("utf-8")
        expect(len(sums.splitlines()) >= 8, sums)
        for line in sums.splitlines():
            wanted, name = line.split("  ")
            same(digest(self.dist / name), wanted)
        again = self.pack(["x86_64-unknown-linux-gnu"], "again")
        same((again / "SHA256SUMS").read_text("utf-8"), sums)

    # The bundle

    @property
    def bundle(self):
        return self.dist / f"mcp-daktela-{VERSION}.mcpb"

    def unpacked(self, name):
        """As an unpacker leaves it that knows nothing of modes."""
        folder = self.work / name
        with zipfile.ZipFile(self.bundle) as archive:
            archive.extractall(folder)
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(0o644)
        return folder

    def bundle_is_valid(self):
        mcpb = ROOT / "target/hosts/mcpb/node_modules/.bin/mcpb"
        folder = self.unpacked("validated")
        run([mcpb, "validate", folder / "manifest.json"])
        run([mcpb, "unpack", self.bundle, self.work / "by-mcpb"])
        same((self.work / "by-mcpb/manifest.json").read_text("utf-8"), (folder / "manifest.json").read_text("utf-8"))
        expect(self.bundle.stat().st_size * 4 <= 45_000_000, "four systems' programs would be more than 45 MB")

    def command_of_bundle(self, folder, platform, settings):
        library = ROOT / "target/hosts/mcpb/node_modules/@anthropic-ai/mcpb/dist/index.js"
        script = pathlib.Path(__file__).with_name("bundle_command.mjs")
        config = json.loads(run(["node", script, library, folder, platform, json.dumps(settings)]))
        return [config["command"], *config["args"]], config["env"]

    def bundle_answers(self, instance):
        folder = self.unpacked("bundle with a blank č")
        settings = {"url": instance["url"], "access_token": instance["token"]}
        command, environment = self.command_of_bundle(folder, "linux", settings)
        same(self.command_of_bundle(folder, "darwin", settings), (command, environment))
        on_windows = ([f"{folder}/server/win32/mcp-daktela.exe"], environment)
        same(self.command_of_bundle(folder, "win32", settings), on_windows)
        unpacked = time.monotonic()
        with Stdio(command, {**self.environment, **environment}) as client:
            result = client.ask("tools/call", {"name": "count_tickets", "arguments": {}})
            took = time.monotonic() - unpacked
            same(result["content"][0]["text"] + "\n", ANSWER)
            expect(took <= FIRST_ANSWER_SECONDS, f"{took:.1f} s until the first answer")
            listed = client.ask("tools/list")["tools"]
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        same([tool["name"] for tool in manifest["tools"]], [tool["name"] for tool in listed])

    def bundle_answers_where_nothing_can_be_written(self):
        """An unprivileged user starts what root unpacked."""
        if os.getuid() != 0 or shutil.which("setpriv") is None:
            raise Mismatch("needs root and setpriv, to start it as somebody else")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bundle-"))
        home = pathlib.Path(tempfile.mkdtemp(prefix="home-"))
        try:
            shutil.copytree(self.unpacked("read-only"), folder, dirs_exist_ok=True)
            folder.chmod(0o755)
            os.chown(home, 65534, 65534)
            start = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", folder / "server/start.sh"]
            environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
            for _ in range(2):
                done = subprocess.run([*start, *QUESTION], env=environment, capture_output=True, text=True, check=False)
                same(done.stdout, ANSWER)
            same([path.name for path in (home / ".cache/mcp-daktela").iterdir()], ["mcp-daktela"])
        finally:
            shutil.rmtree(folder)
            shutil.rmtree(home)

    def bundle_without_a_program_says_so(self):
        folder = self.unpacked("without")
        shutil.rmtree(folder / "server/linux-x64")
        done = subprocess.run(
            ["/bin/sh", folder / "server/start.sh"], env=self.environment, capture_output=True, text=True, check=False
        )
        expect(done.returncode == 1 and "no program for Linux-x86_64" in done.stderr, done.stderr)

    # Other ways

    def npm_installs_and_answers(self):
        folder = self.work / "npm"
        folder.mkdir()
        (folder / "package.json").write_text('{"private": true}', "utf-8")
        archives = sorted((self.dist / "npm").iterdir())
        npm = ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--cache", self.work / "cache"]
        # Where the registry has no packages for other systems, they are passed over, as on those systems this one is.
        run([*npm, "--offline", *archives], 300)
        program = folder / "node_modules/.bin/mcp-daktela"
        same(run([program, *QUESTION]), ANSWER)
        same(subprocess.run([program, "call", "nothing"], capture_output=True, check=False).returncode, 2)
        server = subprocess.Popen(
            [program, "--demo", "--transport", "streamable-http", "--port", "0"], stderr=subprocess.PIPE, text=True
        )
        while "listening" not in server.stderr.readline():
            expect(server.poll() is None, "the program ended")
        server.terminate()
        same(server.wait(60), 0)

    def npm_says_when_there_is_no_program(self):
        folder = self.work / "npm-alone"
        shutil.copytree(self.work / "npm", folder, symlinks=True)
        shutil.rmtree(folder / "node_modules" / PROJECT["npm_scope"] / "mcp-daktela-linux-x64")
        done = subprocess.run([folder / "node_modules/.bin/mcp-daktela"], capture_output=True, text=True, check=False)
        expect(done.returncode == 1 and "npm installed no program for linux-x64" in done.stderr, done.stderr)

    def debian_package_unpacks_and_answers(self):
        package = self.dist / f"mcp-daktela_{VERSION}_amd64.deb"
        same(run(["dpkg-deb", "--field", package, "Version"]).strip(), VERSION)
        depends = run(["dpkg-deb", "--field", package, "Depends"])
        expect(re.match(r"libc6 \(>= 2\.\d+\), libgcc-s1\n", depends), depends)
        run(["dpkg-deb", "--extract", package, self.work / "deb"])
        same(run([self.work / "deb/usr/bin/mcp-daktela", *QUESTION]), ANSWER)

    def archive_unpacks_and_answers(self):
        name = f"mcp-daktela-{VERSION}-x86_64-unknown-linux-gnu"
        run(["tar", "-xzf", self.dist / f"{name}.tar.gz", "-C", self.work])
        same(sorted(path.name for path in (self.work / name).iterdir()), ["CHANGELOG.md", "LICENSE", "README.md", "mcp-daktela"])
        same(run([self.work / name / "mcp-daktela", *QUESTION]), ANSWER)

    def installer_installs_what_it_can_verify(self):
        """From the release for all systems, whose program for Linux is the real one."""
        release = self.work / "others"
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietFiles, directory=release))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {**self.environment, "MCP_DAKTELA_RELEASE": f"http://127.0.0.1:{server.server_port}"}

        def install():
            return subprocess.run(
                ["/bin/sh", release / "install.sh"], env=environment, capture_output=True, text=True, check=False
            )

        installed = self.home / ".local/bin/mcp-daktela"
        done = install()
        expect(done.returncode == 0 and "setup" in done.stdout, done.stdout + done.stderr)
        same(run([installed, *QUESTION]), ANSWER)
        before = digest(installed)
        archive = release / f"mcp-daktela-{VERSION}-x86_64-unknown-linux-musl.tar.gz"
        archive.write_bytes(archive.read_bytes()[:-1] + b"\0")
        done = install()
        expect(done.returncode == 1 and "Nothing was installed" in done.stderr, done.stdout + done.stderr)
        archive.unlink()
        done = install()
        expect(done.returncode == 1 and "cannot be downloaded" in done.stderr, done.stdout + done.stderr)
        same(digest(installed), before)
        server.shutdown()

    def digests_of_other_systems_are_those_of_their_archives(self):
        programs = self.work / "programs-others"
        tiny = self.work / "tiny"
        tiny.write_text("#!/bin/sh\n", "utf-8")
        for target in [*OTHERS, RUNS_HERE]:
            (programs / target).mkdir(parents=True)
            name = "mcp-daktela.exe" if "windows" in target else "mcp-daktela"
            shutil.copy2(self.program if target == RUNS_HERE else tiny, programs / target / name)
        out = self.work / "others"
        run([sys.executable, PACK, programs, out], 600)
        formula = (out / "mcp-daktela.rb").read_text("utf-8")
        installer = (out / f"winget/{PROJECT['winget_id']}.installer.yaml").read_text("utf-8")
        for text, archives in [(formula, 3), (installer, 1)]:
            urls = re.findall(r"https://\S+/(mcp-daktela-[^\s\"]+)", text)
            digests = re.findall(r"\b[0-9a-f]{64}\b", text)
            same((len(urls), len(digests)), (archives, archives))
            for name, wanted in zip(urls, digests):
                same(digest(out / name), wanted)
                expect(f"-{VERSION}-" in name, name)
        with zipfile.ZipFile(out / f"mcp-daktela-{VERSION}-x86_64-pc-windows-msvc.zip") as archive:
            inner = re.search(r"RelativeFilePath: (.*)", installer).group(1).replace("\\", "/")
            expect(inner in archive.namelist(), inner)
        with zipfile.ZipFile(out / f"mcp-daktela-{VERSION}.mcpb") as archive:
            manifest = json.loads(archive.read("manifest.json"))
            same(manifest["compatibility"]["platforms"], ["linux", "darwin", "win32"])
            files = archive.namelist()
            for system in ("linux-x64/mcp-daktela", "linux-arm64/mcp-daktela", "darwin/mcp-daktela", "win32/mcp-daktela.exe"):
                expect(f"server/{system}" in files, system)
        entry = json.loads((out / "server.json").read_text("utf-8"))
        same(entry["packages"][0]["fileSha256"], digest(out / f"mcp-daktela-{VERSION}.mcpb"))

    def readme_names_this_version_and_these_places(self):
        readme = (ROOT / "README.md").read_text("utf-8")
        versions = re.findall(r"(?:mcp-daktela[-_:]|/v)(\d+\.\d+\.\d+)", readme)
        expect(len(versions) >= 5 and set(versions) == {VERSION}, versions)
        for place in (PROJECT["repository"], PROJECT["image"], PROJECT["winget_id"], f"{PROJECT['npm_scope']}/{PROJECT['name']}"):
            expect(place in readme, place)

    def shell_scripts_are_clean(self):
        scripts = ["host/packaging/mcpb/start.sh", "tests/packaging/run", "tests/platforms/cross", "tests/platforms/run"]
        run(["shellcheck", *(ROOT / script for script in scripts), self.dist / "install.sh"])

    def registry_entry_is_valid(self):
        """skillsaw holds the schemas of the registry."""
        folder = self.work / "registry"
        folder.mkdir()
        shutil.copy(self.dist / "server.json", folder)
        run([ROOT / "target/hosts/skillsaw/bin/skillsaw", "lint", "--strict", folder])

    def bill_of_materials_is_complete(self):
        bill = json.loads((self.dist / f"mcp-daktela-{VERSION}.cdx.json").read_text("utf-8"))
        names = {component["name"]: component for component in bill["components"]}
        for name in ("wasmtime", "rmcp", "rustls", "windows-native-keyring-store"):
            expect(name in names, name)
        expect("daktela-components" not in names and "expect-test" not in names, "crates of builds and tests are in it")
        locked = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))["package"]
        versions = {(package["name"], package["version"]) for package in locked}
        for component in bill["components"]:
            expect((component["name"], component["version"]) in versions, component)
            expect(component["purl"] == component["bom-ref"] and component.get("licenses"), component)


def sample_company(program, stop):
    """An instance for programs that are given an address and a token."""
    server = subprocess.Popen(
        [program, "--demo", "--transport", "streamable-http", "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    stop.append(server)
    for line in server.stderr:
        event = json.loads(line)
        if event.get("event") == "sample_company":
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return {
                "url": event["instance"],
                "token": event["api_token"],
                "username": event["username"],
                "password": event["password"],
            }
    raise Mismatch("the sample company did not start")


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/mcp-daktela").resolve()
    if not program.exists():
        raise SystemExit(f"{program} is not there; build it, or name another")
    tally = Tally()
    stop = []
    has = shutil.which
    hosts = ROOT / "target/hosts"
    try:
        with tempfile.TemporaryDirectory(prefix="mcp-daktela-packaging-") as work:
            packaging = Packaging(program, pathlib.Path(work))
            if tally.check("a release is packed, twice to the same bytes", packaging.packed_twice_the_same) is None and tally.failed:
                return tally.close()
            instance = sample_company(program, stop)
            checks = [
                ("the bundle is valid, and small enough", packaging.bundle_is_valid, (hosts / "mcpb").exists(), "mcpb is not installed"),
                (
                    "the bundle answers within 10 s of unpacking, without execute bits",
                    lambda: packaging.bundle_answers(instance),
                    (hosts / "mcpb").exists() and has("node"),
                    "mcpb is not installed",
                ),
                (
                    "the bundle answers where its folder is closed to writing",
                    packaging.bundle_answers_where_nothing_can_be_written,
                    os.getuid() == 0 and has("setpriv"),
                    "it needs root and setpriv",
                ),
                ("a bundle for other systems says so", packaging.bundle_without_a_program_says_so, True, ""),
                ("the npm package installs and answers", packaging.npm_installs_and_answers, has("npm"), "there is no npm"),
                ("the npm package says when its program is missing", packaging.npm_says_when_there_is_no_program, has("npm"), "there is no npm"),
                ("the Debian package unpacks and answers", packaging.debian_package_unpacks_and_answers, has("dpkg-deb"), "there is no dpkg-deb"),
                ("the archive unpacks and answers", packaging.archive_unpacks_and_answers, True, ""),
                ("formula, winget manifest, bundle and registry name what is packed", packaging.digests_of_other_systems_are_those_of_their_archives, True, ""),
                ("the installer installs what it can verify", packaging.installer_installs_what_it_can_verify, has("curl"), "there is no curl"),
                ("the README names this version and these places", packaging.readme_names_this_version_and_these_places, True, ""),
                ("the shell scripts are clean", packaging.shell_scripts_are_clean, has("shellcheck"), "there is no shellcheck"),
                ("the registry's entry is valid", packaging.registry_entry_is_valid, (hosts / "skillsaw").exists(), "skillsaw is not installed"),
                ("the bill of materials is what is linked", packaging.bill_of_materials_is_complete, True, ""),
            ]
            for name, judge, can, why in checks:
                if can:
                    tally.check(name, judge)
                elif "CI" in os.environ:
                    tally.failed += 1
                    print(f"FAILED  {name}: on CI nothing is skipped, and {why}")
                else:
                    tally.skip(name, why)
            with Stdio([packaging.program], packaging.environment) as bare:
                shown = directories.Shown(packaging, packaging.program, bare, instance)
                for name, judge in directories.REQUIREMENTS:
                    tally.check(f"directories: {name}", functools.partial(judge, shown))
    finally:
        for server in stop:
            server.terminate()
            server.wait(60)
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())
