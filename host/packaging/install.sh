#!/bin/sh
# Installs mcp-daktela {{version}} into ~/.local/bin: downloads the archive for this system, compares its digest, unpacks it.
#
#   curl -fsSL {{release}}/install.sh | sh
#
# MCP_DAKTELA_DIR names another folder, MCP_DAKTELA_RELEASE another place that holds the files of the release.
set -eu

main() {
    release=${MCP_DAKTELA_RELEASE:-{{release}}}
    folder=${MCP_DAKTELA_DIR:-$HOME/.local/bin}
    case $(uname -s)-$(uname -m) in
    Darwin-*) target=universal-apple-darwin ;;
    Linux-x86_64) target=x86_64-unknown-linux-musl ;;
    Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
    *) fail "there is no program for $(uname -s) on $(uname -m); README.md says how to build it" ;;
    esac
    name=mcp-daktela-{{version}}-$target
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    echo "Downloading $name …"
    download "$release/$name.tar.gz" "$work/$name.tar.gz"
    download "$release/SHA256SUMS" "$work/SHA256SUMS"
    expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $name\.tar\.gz\$/\1/p" "$work/SHA256SUMS")
    [ -n "$expected" ] || fail "SHA256SUMS does not name $name.tar.gz"
    [ "$(digest "$work/$name.tar.gz")" = "$expected" ] ||
        fail "the download is damaged or was changed: its digest is not the one in SHA256SUMS. Nothing was installed"
    tar -xzf "$work/$name.tar.gz" -C "$work"
    mkdir -p "$folder"
    # Beside it and renamed: a program that runs cannot be overwritten.
    cp "$work/$name/mcp-daktela" "$folder/.mcp-daktela.new"
    chmod 755 "$folder/.mcp-daktela.new"
    mv "$folder/.mcp-daktela.new" "$folder/mcp-daktela"
    echo "Installed: $("$folder/mcp-daktela" --version) in $folder"
    case ":$PATH:" in
    *":$folder:"*) program=mcp-daktela ;;
    *) program=$folder/mcp-daktela ;;
    esac
    echo "Connect Claude Desktop, Claude Code, VS Code, Cursor or Gemini with: $program setup"
}

download() {
    if command -v curl >/dev/null; then
        curl -fsSL --retry 3 -o "$2" "$1" || fail "$1 cannot be downloaded"
    elif command -v wget >/dev/null; then
        wget -q -O "$2" "$1" || fail "$1 cannot be downloaded"
    else
        fail "neither curl nor wget is there"
    fi
}

digest() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1" | cut -d' ' -f1
    else
        shasum -a 256 "$1" | cut -d' ' -f1
    fi
}

fail() {
    echo "mcp-daktela: $1" >&2
    exit 1
}

# Called at the end, so that a download of this script that breaks off does nothing.
main
