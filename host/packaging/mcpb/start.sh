#!/bin/sh
# Starts the bundle's program for this system and processor. Some unpackers drop the bit that makes it executable, and the folder
# may be closed to writing: then a copy in the user's cache is started.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
system=$(uname -s)-$(uname -m)
case $system in
Darwin-*) program=$here/darwin/mcp-daktela ;;
Linux-x86_64) program=$here/linux-x64/mcp-daktela ;;
Linux-aarch64 | Linux-arm64) program=$here/linux-arm64/mcp-daktela ;;
*) program= ;;
esac
if [ ! -f "$program" ]; then
    echo "mcp-daktela: this bundle has no program for $system; build it from the sources, README.md says how" >&2
    exit 1
fi

if [ ! -x "$program" ] && ! chmod +x "$program" 2>/dev/null; then
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-daktela
    copy=$cache/mcp-daktela
    if ! cmp -s "$program" "$copy"; then
        mkdir -p "$cache"
        cp "$program" "$copy.$$"
        chmod 700 "$copy.$$"
        mv "$copy.$$" "$copy"
    fi
    program=$copy
fi
exec "$program" "$@"
