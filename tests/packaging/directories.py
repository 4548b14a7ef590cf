"""Requirements of directories and registries that depend on this project, a line each; all but two of the list in which they were
gathered: that the developer owns the API, and rules for views, of which there are none.
"""

import base64
import functools
import json
import re
import struct
import subprocess
import urllib.parse
import urllib.request
import zipfile

from harness import OAUTH_SECRET, ROOT, Mismatch, run


def expect(is_so, what):
    if not is_so:
        raise Mismatch(what)


class Shown:
    """What a reviewer sees: the program without any settings, the packed files, the pages."""

    def __init__(self, packaging, program, bare, instance):
        self.packaging, self.program, self.bare, self.instance = packaging, program, bare, instance

    @functools.cached_property
    def tools(self):
        return self.bare.ask("tools/list")["tools"]

    @functools.cached_property
    def manifest(self):
        return json.loads(self.in_bundle("manifest.json"))

    @functools.cached_property
    def project(self):
        return json.loads(self.page("host/packaging/project.json"))

    def in_bundle(self, name):
        with zipfile.ZipFile(self.packaging.bundle) as archive:
            return archive.read(name)

    def page(self, path):
        return (ROOT / path).read_text("utf-8")

    def packed(self, path):
        return json.loads((self.packaging.dist / path).read_text("utf-8"))

    def link(self, start):
        """The query of a link in the README."""
        found = re.search(re.escape(start) + r"\?([^)\s]+)", self.page("README.md"))
        expect(found, f"README.md has no link to {start}")
        return urllib.parse.parse_qs(found.group(1))


def annotated(shown):
    for tool in shown.tools:
        hints = tool["annotations"]
        expect(hints["title"] and hints["readOnlyHint"] is True and hints["destructiveHint"] is False, tool["name"])


def says_open_world(shown):
    for tool in shown.tools:
        expect(isinstance(tool["annotations"]["openWorldHint"], bool), tool["name"])


def named_plainly(shown):
    orders = re.compile(r"\b(you must|always use|never use|ignore|before any other)\b", re.IGNORECASE)
    for tool in shown.tools:
        expect(len(tool["name"]) <= 64 and not orders.search(tool["description"]), tool["name"])


def described_shortly(shown):
    for tool in shown.tools:
        expect(len(tool["description"]) <= 200, f"{tool['name']}: {len(tool['description'])} characters")


def introduced(shown):
    instructions = shown.bare.ask("initialize", {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "0"}
    })["instructions"]
    first = instructions.split("\n\n")[0]
    expect(len(first) <= 512 and first.endswith("."), f"{len(first)} characters: {first}")


def logs_in(shown):
    server = subprocess.Popen(
        [shown.program, "--demo", "--transport", "streamable-http", "--port", "0"],
        env={"OAUTH_SECRET": OAUTH_SECRET},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = next(
            event["address"] for event in map(json.loads, server.stderr) if event.get("event") == "listening"
        )
        url = f"http://{address}/.well-known/oauth-authorization-server"
        with urllib.request.urlopen(url, timeout=30) as answer:
            metadata = json.load(answer)
    finally:
        server.terminate()
        server.wait(60)
    expect(metadata["code_challenge_methods_supported"] == ["S256"], metadata)
    expect(metadata["registration_endpoint"] and metadata["client_id_metadata_document_supported"] is True, metadata)


def states_privacy(shown):
    page = shown.page("docs/privacy.md")
    for word in ("stored", "sent to", "logs", "Contact"):
        expect(word in page, word)
    expect("\n## Privacy\n" in shown.page("README.md"), "README.md has no section on it")
    expect([url.endswith("/docs/privacy.md") for url in shown.manifest["privacy_policies"]] == [True], "the bundle")


def gives_examples(shown):
    _, readme = shown.page("README.md").split("\n## Examples\n")
    examples = re.findall(r"^> .+(?:\n> .+)*", readme.split("\n## ")[0], re.MULTILINE)
    expect(len(examples) >= 3, examples)
    expect(shown.manifest["long_description"].count("\n- ") >= 3, "the bundle")


def has_an_account_for_reviewers(shown):
    instance = shown.instance
    environment = {
        "DAKTELA_URL": instance["url"],
        "DAKTELA_USERNAME": instance["username"],
        "DAKTELA_PASSWORD": instance["password"],
    }
    expect("Lucie Králová" in run([shown.program, "check"], environment=environment), "the sample company's account")


def can_be_reached(shown):
    expect("\n## Reporting a vulnerability\n" in shown.page("SECURITY.md"), "SECURITY.md")
    expect(shown.manifest["support"].startswith("https://"), "the bundle")


def has_an_icon(shown):
    icon = shown.in_bundle(shown.manifest["icon"])
    expect(icon.startswith(b"\x89PNG") and struct.unpack(">II", icon[16:24]) == (512, 512), "512 × 512 pixels as PNG")


def is_submitted_with_tests(shown):
    submission = shown.packed("submission.json")
    expect(len(submission["positive_tests"]) == 5 and len(submission["negative_tests"]) == 3, "five and three")
    for test in submission["positive_tests"]:
        answer = run([shown.program, "--demo", "call", test["tool"], json.dumps(test["arguments"])])
        expect(test["expected"] in answer, f"{test['prompt']}: {answer[:300]}")


def bundle_is_described(shown):
    fields = ("homepage", "documentation", "support", "repository", "long_description", "icon", "localization", "license")
    expect(all(shown.manifest.get(field) for field in fields), fields)
    czech = json.loads(shown.in_bundle("mcpb-resources/cs-CZ.json"))
    english = json.loads(shown.in_bundle("mcpb-resources/en-US.json"))
    expect(czech.keys() == english.keys() and czech["user_config"].keys() == english["user_config"].keys(), "both languages")
    for option in shown.manifest["user_config"].values():
        expect(option["required"] and len(option["description"]) > 30, option)


def bundle_is_for_three_systems(shown):
    with zipfile.ZipFile(shown.packaging.work / f"others/{shown.packaging.bundle.name}") as archive:
        manifest = json.loads(archive.read("manifest.json"))
    expect(manifest["compatibility"]["platforms"] == ["linux", "darwin", "win32"], manifest["compatibility"])
    expect(manifest["server"]["mcp_config"]["platform_overrides"]["win32"]["command"].endswith(".exe"), "Windows")


def registry_entry_is_whole(shown):
    entry = shown.packed("server.json")
    expect([package["registryType"] for package in entry["packages"]] == ["mcpb", "npm", "oci"], "packages")
    expect(entry["remotes"] and entry["icons"] and entry["websiteUrl"] and entry["repository"]["url"], "links")
    expect(len(entry["description"]) <= 100, "the registry takes 100 characters")


def image_is_labelled(shown):
    labels = dict(re.findall(r'^(?:LABEL|     )\s*([\w.]+)="([^"]*)"', shown.page("Dockerfile"), re.MULTILINE))
    expect(labels.get("io.modelcontextprotocol.server.name") == shown.project["registry_name"], labels)
    expect(labels.get("org.opencontainers.image.source") == shown.project["repository"], labels)


def image_lists_without_credentials(shown):
    expect(shown.page("LICENSE").startswith("MIT License"), "the licence")
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "x", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }}})
    done = subprocess.run(
        [shown.program], env={"MCP_TRANSPORT": "stdio"}, input=line + "\n", capture_output=True, text=True, timeout=60, check=False
    )
    expect(len(json.loads(done.stdout)["result"]["tools"]) == len(shown.tools), done.stdout[:300])


def answers_without_settings(shown):
    expect(len(shown.tools) > 40, "tools")
    expect(shown.bare.ask("prompts/list")["prompts"] and shown.bare.ask("resources/list")["resources"], "prompts and resources")
    result = shown.bare.ask("tools/call", {"name": shown.tools[0]["name"], "arguments": {}})
    text = result["content"][0]["text"]
    expect(result["isError"] and "DAKTELA_URL" in text and "mcp-daktela setup" in text, text)


def has_install_links(shown):
    package = f"{shown.project['npm_scope']}/{shown.project['name']}"
    [code] = shown.link("https://insiders.vscode.dev/redirect/mcp/install")["config"]
    [cursor] = shown.link("https://cursor.com/en/install-mcp")["config"]
    for config in (json.loads(code), json.loads(base64.b64decode(cursor))):
        expect(config["command"] == "npx" and config["args"] == ["-y", package], config)
        expect(config["env"].keys() == {"DAKTELA_URL", "DAKTELA_ACCESS_TOKEN"}, config)


def has_plugins(shown):
    package = f"{shown.project['npm_scope']}/{shown.project['name']}@"
    for file in ("claude-plugin/.claude-plugin/plugin.json", "gemini/gemini-extension.json"):
        plugin = shown.packed(file)
        expect(plugin["mcpServers"]["daktela"]["args"] == ["-y", package + plugin["version"]], plugin)


REQUIREMENTS = [
    ("every tool has a title and says that it only reads", annotated),
    ("every tool says whether it reaches an open world", says_open_world),
    ("names have at most 64 characters, descriptions give no orders", named_plainly),
    ("descriptions have at most 200 characters", described_shortly),
    ("the first 512 characters of the instructions stand alone", introduced),
    ("OAuth has PKCE, registration and metadata documents of clients", logs_in),
    ("a privacy policy, in the README and in the bundle, too", states_privacy),
    ("three worked examples", gives_examples),
    ("an account with sample data for the reviewer", has_an_account_for_reviewers),
    ("contacts for support and security", can_be_reached),
    ("an icon", has_an_icon),
    ("a submission with five positive and three negative tests", is_submitted_with_tests),
    ("the bundle's manifest says everything, in Czech and English", bundle_is_described),
    ("the bundle is for three systems", bundle_is_for_three_systems),
    ("the registry's entry has bundle, package, image and remote", registry_entry_is_whole),
    ("the image has the labels that registries look for", image_is_labelled),
    ("the image lists its tools over stdio without credentials", image_lists_without_credentials),
    ("lists are answered without settings, and a call says what to set", answers_without_settings),
    ("links install it in VS Code and Cursor", has_install_links),
    ("plugins for Claude Code and the Gemini CLI", has_plugins),
]
