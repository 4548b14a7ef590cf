// What a client starts for an unpacked bundle, by the bundles' own library: bundle_command.mjs LIBRARY FOLDER PLATFORM SETTINGS
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [library, folder, platform, settings] = process.argv.slice(2);
const { getMcpConfigForManifest } = await import(library);
Object.defineProperty(process, "platform", { value: platform });
const config = await getMcpConfigForManifest({
  manifest: JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")),
  extensionPath: folder,
  systemDirs: {},
  userConfig: JSON.parse(settings),
  pathSeparator: "/",
});
console.log(JSON.stringify(config));
