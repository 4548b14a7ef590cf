#!/usr/bin/env python3
"""Packs a release out of built programs: archives, MCPB bundle, npm packages, Debian packages, Homebrew formula, winget manifests,
installers, registry entry, SBOM, SHA256SUMS.

    host/packaging/pack.py PROGRAMS OUT

PROGRAMS holds a folder for each target, PROGRAMS/TARGET/mcp-daktela (on Windows .exe). What needs a target that is not there is left
out and said so. The version is that of Cargo.toml, names are those of project.json, so that a release cannot disagree with itself.
Same programs in, same bytes out.
"""

import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROJECT = json.loads((HERE / "project.json").read_text())
NAME = PROJECT["name"]
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
RELEASE = f"{PROJECT['repository']}/releases/download/v{VERSION}"

# Of one day, so that the same programs make the same bytes.
MTIME = 1577836800
ZIP_DATE = (2020, 1, 1, 0, 0, 0)

LINUX = ["x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu"]
LINUX_ARM = ["aarch64-unknown-linux-musl", "aarch64-unknown-linux-gnu"]
MAC = ["universal-apple-darwin"]
WINDOWS = ["x86_64-pc-windows-msvc", "x86_64-pc-windows-gnu"]

# Folder in the bundle, what MCPB calls the system, and the targets that serve it, best first. A static program runs on any Linux.
BUNDLE = [
    ("linux-x64", "linux", LINUX),
    ("linux-arm64", "linux", LINUX_ARM),
    ("darwin", "darwin", MAC),
    ("win32", "win32", WINDOWS),
]

# Name of the npm package behind the scope, npm's names for systems and processors, targets.
NPM = [
    ("linux-x64", ["linux"], ["x64"], LINUX),
    ("linux-arm64", ["linux"], ["arm64"], LINUX_ARM),
    ("darwin", ["darwin"], ["x64", "arm64"], MAC),
    ("win32-x64", ["win32"], ["x64"], WINDOWS),
]

# Debian's architectures; with its own C library.
DEBIAN = [("amd64", "x86_64-unknown-linux-gnu"), ("arm64", "aarch64-unknown-linux-gnu")]

# The largest bundle that is still quick to install. Where it would be larger, the rarest system has to take another way.
BUNDLE_BYTES_MAX = 45_000_000
BUNDLE_RAREST = "linux-arm64"

# What the registry shows a user for packages that take their settings from variables.
ENVIRONMENT = [
    {
        "name": "DAKTELA_URL",
        "description": "Address of your Daktela, e.g. https://acme.daktela.com",
        "isRequired": True,
        "format": "string",
    },
    {
        "name": "DAKTELA_ACCESS_TOKEN",
        "description": "API token of a user of Daktela; the tools see what that user may see.",
        "isRequired": True,
        "isSecret": True,
        "format": "string",
    },
]
TRANSPORT = {
    "name": "MCP_TRANSPORT",
    "description": "The image serves HTTP unless told otherwise.",
    "value": "stdio",
}


class Missing(Exception):
    """A target or a tool that is not here."""


class Packer:
    def __init__(self, programs: Path, out: Path):
        self.programs = programs
        self.out = out
        self.files: list[Path] = []

    def program(self, targets: list[str]) -> Path:
        for target in targets:
            for name in (NAME, f"{NAME}.exe"):
                path = self.programs / target / name
                if path.is_file():
                    return path
        raise Missing(f"no program for {' or '.join(targets)}")

    def targets(self) -> list[str]:
        return sorted(path.name for path in self.programs.iterdir() if path.is_dir())

    def here(self) -> Path:
        """A program that this machine can run."""
        machine = {"win32": WINDOWS, "darwin": MAC}.get(sys.platform)
        if machine is None:
            machine = LINUX_ARM if "aarch64" in subprocess.check_output(["uname", "-m"], text=True) else LINUX
        return self.program(machine)

    def add(self, path: Path, data: bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.files.append(path)
        return path

    # Templates

    def render(self, template: str, **values) -> str:
        """Fills in {{name}} and {{function target}}; a name that is not known ends the release."""
        known = {**PROJECT, "version": VERSION, "release": RELEASE, "bundle": bundle_name(), **values}

        def value(match: re.Match) -> str:
            expression = match.group(1)
            if expression in known:
                return str(known[expression])
            function, _, argument = expression.partition(" ")
            if function == "folder":
                return folder_name(argument)
            if function == "archive":
                return archive_name(argument)
            if function == "sha256":
                return self.digest(bundle_name() if argument == "bundle" else archive_name(argument))
            raise KeyError(f"{{{{{expression}}}}} is not known")

        return re.sub(r"\{\{([^{}]+)\}\}", value, template)

    def rendered(self, name: str, **values) -> str:
        return self.render((HERE / name).read_text(), **values)

    def digest(self, name: str) -> str:
        path = self.out / name
        if path not in self.files:
            raise Missing(name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    # Packages

    def archives(self):
        for target in self.targets():
            program = self.program([target])
            inner = folder_name(target)
            files = [(f"{inner}/{program.name}", program.read_bytes(), 0o755)]
            files += [(f"{inner}/{name}", (ROOT / name).read_bytes(), 0o644) for name in ("README.md", "LICENSE", "CHANGELOG.md")]
            pack = zip_of if program.suffix == ".exe" else tar_of
            self.add(self.out / archive_name(target), pack(files))

    def manifest(self, systems: list[str]) -> dict:
        manifest = json.loads(self.rendered("mcpb/manifest.json"))
        listed = json.loads(subprocess.check_output([self.here(), "tools", "--json"], env={}))
        tools = listed["tools"] if isinstance(listed, dict) else listed
        manifest["tools"] = [{"name": tool["name"], "description": tool["description"]} for tool in tools]
        manifest["compatibility"] = {"platforms": systems}
        return manifest

    def bundle(self):
        programs = []
        systems = []
        for folder, system, targets in BUNDLE:
            try:
                program = self.program(targets)
            except Missing as missing:
                print(f"not in the bundle: {missing}")
                continue
            programs.append((f"server/{folder}/{program.name}", program.read_bytes(), 0o755))
            if system not in systems:
                systems.append(system)
        manifest = self.manifest(systems)
        english = {key: manifest[key] for key in ("display_name", "description", "long_description", "keywords")}
        english["user_config"] = {
            key: {"title": option["title"], "description": option["description"]}
            for key, option in manifest["user_config"].items()
        }
        files = [
            ("manifest.json", pretty(manifest), 0o644),
            ("icon.png", (HERE / "icon.png").read_bytes(), 0o644),
            ("LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644),
            ("mcpb-resources/en-US.json", pretty(english), 0o644),
            ("mcpb-resources/cs-CZ.json", (HERE / "mcpb/cs-CZ.json").read_bytes(), 0o644),
            ("server/start.sh", (HERE / "mcpb/start.sh").read_bytes(), 0o755),
        ]
        data = zip_of(files + programs)
        rarest = [program for program in programs if program[0].startswith(f"server/{BUNDLE_RAREST}/")]
        if len(data) > BUNDLE_BYTES_MAX and rarest:
            print(f"not in the bundle: {BUNDLE_RAREST}, since it would have {len(data)} bytes")
            data = zip_of(files + [program for program in programs if program not in rarest])
        if len(data) > BUNDLE_BYTES_MAX:
            raise SystemExit(f"the bundle has {len(data)} bytes, more than {BUNDLE_BYTES_MAX}")
        self.add(self.out / bundle_name(), data)

    def npm(self):
        common = {
            "version": VERSION,
            "description": PROJECT["description"],
            "license": PROJECT["license"],
            "homepage": PROJECT["repository"],
            "repository": {"type": "git", "url": f"git+{PROJECT['repository']}.git"},
            "bugs": f"{PROJECT['repository']}/issues",
        }
        licence = ("package/LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644)
        optional = {}
        for suffix, systems, processors, targets in NPM:
            name = f"{PROJECT['npm_scope']}/{NAME}-{suffix}"
            optional[name] = VERSION
            try:
                program = self.program(targets)
            except Missing as missing:
                print(f"no npm package: {missing}")
                continue
            package = {"name": name, **common, "os": systems, "cpu": processors, "files": ["bin"]}
            package["description"] = f"The program of {NAME} for {suffix}"
            files = [
                ("package/package.json", pretty(package), 0o644),
                (f"package/bin/{program.name}", program.read_bytes(), 0o755),
                licence,
            ]
            self.add(self.out / f"npm/{NAME}-{suffix}-{VERSION}.tgz", tar_of(files))
        package = {
            "name": f"{PROJECT['npm_scope']}/{NAME}",
            **common,
            # The registry of MCP servers looks for its own name here.
            "mcpName": PROJECT["registry_name"],
            "keywords": ["mcp", "model-context-protocol", "daktela"],
            "bin": {NAME: "bin/mcp-daktela.js"},
            "engines": {"node": ">=18"},
            "files": ["bin"],
            "optionalDependencies": optional,
        }
        files = [
            ("package/package.json", pretty(package), 0o644),
            ("package/bin/mcp-daktela.js", self.rendered("npm/mcp-daktela.js").encode(), 0o755),
            ("package/README.md", (ROOT / "README.md").read_bytes(), 0o644),
            licence,
        ]
        self.add(self.out / f"npm/{NAME}-{VERSION}.tgz", tar_of(files))

    def debian(self):
        if shutil.which("dpkg-deb") is None:
            raise Missing("dpkg-deb")
        for architecture, target in DEBIAN:
            try:
                program = self.program([target])
            except Missing as missing:
                print(f"no Debian package: {missing}")
                continue
            tree = self.out / f"deb-{architecture}"
            shutil.rmtree(tree, ignore_errors=True)
            data = program.read_bytes()
            # The newest symbol of the C library that the program asks for.
            minors = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", data)]
            documents = {"copyright": "LICENSE", "README.md": "README.md", "changelog": "CHANGELOG.md"}
            files = {"usr/bin/mcp-daktela": (data, 0o755)}
            for name, source in documents.items():
                files[f"usr/share/doc/{NAME}/{name}"] = ((ROOT / source).read_bytes(), 0o644)
            kilobytes = sum(-(-len(content) // 1024) for content, _ in files.values())
            control = self.rendered(
                "debian/control",
                architecture=architecture,
                libc=f"2.{max(minors)}",
                **{"installed size": kilobytes},
            )
            files["DEBIAN/control"] = (control.encode(), 0o644)
            for name, (content, mode) in files.items():
                path = tree / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                path.chmod(mode)
            package = self.out / f"{NAME}_{VERSION}_{architecture}.deb"
            subprocess.run(
                ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, package],
                check=True,
                stdout=subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": str(MTIME)},
            )
            self.files.append(package)
            shutil.rmtree(tree)

    def homebrew(self):
        self.add(self.out / f"{NAME}.rb", self.rendered("homebrew.rb").encode())

    def winget(self):
        names = {"version": "", "installer": ".installer", "locale.en-US": ".locale.en-US"}
        rendered = {suffix: self.rendered(f"winget/{name}.yaml") for name, suffix in names.items()}
        for suffix, text in rendered.items():
            self.add(self.out / f"winget/{PROJECT['winget_id']}{suffix}.yaml", text.encode())

    def installers(self):
        for name in ("install.sh", "install.ps1"):
            self.add(self.out / name, self.rendered(name).encode())

    def registry(self):
        entry = json.loads(self.rendered("registry/server.json", **{"environment": "", "environment with transport": ""}))
        for package in entry["packages"]:
            if "environmentVariables" in package:
                of_image = package["registryType"] == "oci"
                package["environmentVariables"] = [TRANSPORT] * of_image + ENVIRONMENT
        self.add(self.out / "server.json", pretty(entry))

    def plugins(self):
        """For Claude Code, for the Gemini CLI, and for ChatGPT's directory."""
        places = {
            "plugin.json": "claude-plugin/.claude-plugin/plugin.json",
            "gemini-extension.json": "gemini/gemini-extension.json",
            "submission.json": "submission.json",
        }
        for name, place in places.items():
            self.add(self.out / place, self.rendered(f"plugins/{name}").encode())

    def sbom(self):
        metadata = json.loads(
            subprocess.check_output(["cargo", "metadata", "--format-version", "1", "--locked"], cwd=ROOT)
        )
        self.add(self.out / f"{NAME}-{VERSION}.cdx.json", pretty(bill_of_materials(metadata)))

    def sums(self):
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
            for path in sorted(self.files)
            if path.parent == self.out
        ]
        (self.out / "SHA256SUMS").write_text("".join(lines))


def bill_of_materials(metadata: dict) -> dict:
    """CycloneDX of what the program is linked from, for all systems: dependencies of builds and of tests are left out."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = next(identity for identity, package in packages.items() if package["name"] == NAME)
    linked: dict[str, list[str]] = {}
    waiting = [root]
    while waiting:
        identity = waiting.pop()
        if identity in linked:
            continue
        linked[identity] = [
            dependency["pkg"]
            for dependency in nodes[identity]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        ]
        waiting += linked[identity]

    def reference(identity: str) -> str:
        package = packages[identity]
        return f"pkg:cargo/{package['name']}@{package['version']}"

    def component(identity: str) -> dict:
        package = packages[identity]
        kind = "application" if identity == root else "library"
        described = {
            "type": kind,
            "bom-ref": reference(identity),
            "name": package["name"],
            "version": package["version"],
            "purl": reference(identity),
        }
        if package["license"]:
            # Some crates write a slash, as cargo once had it.
            described["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        return described

    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(root)},
        "components": [component(identity) for identity in sorted(linked, key=reference) if identity != root],
        "dependencies": [
            {"ref": reference(identity), "dependsOn": sorted({reference(other) for other in linked[identity]})}
            for identity in sorted(linked, key=reference)
        ],
    }


def folder_name(target: str) -> str:
    return f"{NAME}-{VERSION}-{target}"


def archive_name(target: str) -> str:
    return folder_name(target) + (".zip" if "windows" in target else ".tar.gz")


def bundle_name() -> str:
    return f"{NAME}-{VERSION}.mcpb"


def pretty(value) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def zip_of(files) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return data.getvalue()


def tar_of(files) -> bytes:
    data = io.BytesIO()
    with gzip.GzipFile(fileobj=data, mode="wb", mtime=MTIME) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content, mode in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), mode, MTIME
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    programs, out = (Path(argument).resolve() for argument in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    packer = Packer(programs, out)
    if not packer.targets():
        raise SystemExit(f"{programs} has no folder with a program")
    # Those that name digests come after those that they name.
    for step in (
        packer.archives,
        packer.bundle,
        packer.npm,
        packer.debian,
        packer.homebrew,
        packer.winget,
        packer.installers,
        packer.registry,
        packer.plugins,
        packer.sbom,
    ):
        try:
            step()
        except Missing as missing:
            print(f"not packed: {step.__name__}, which needs {missing}")
    packer.sums()
    for path in packer.files:
        print(f"{path.stat().st_size:>9} bytes  {path.relative_to(out)}")


main()
