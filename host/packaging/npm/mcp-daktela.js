#!/usr/bin/env node
// Starts the program that npm installed for this system, and passes on signals and the exit code. Nothing is downloaded.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const scope = "{{npm_scope}}";
// One program serves both processors of a Mac.
const system = process.platform === "darwin" ? "darwin" : `${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "mcp-daktela.exe" : "mcp-daktela";

let program;
try {
  program = require.resolve(`${scope}/mcp-daktela-${system}/bin/${file}`);
} catch {
  console.error(
    `mcp-daktela: npm installed no program for ${system}. There is one for Windows (x64), macOS and Linux (x64, arm64); where ` +
      "optional packages are left out, install without --omit=optional.",
  );
  process.exit(1);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit", windowsHide: true });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  // A terminal sends its signal to both; the child decides when to end.
  process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
  console.error(`mcp-daktela: ${program}: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  process.exit(signal ? 128 + constants.signals[signal] : code);
});
