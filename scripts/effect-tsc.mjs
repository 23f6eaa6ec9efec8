/** Type-checks with the compiler that knows Effect where its binary exists for this platform, with plain tsc elsewhere. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"

const effectAware = "node_modules/@effect/tsgo-linux-x64/lib/tsc"
const [command, leading] = existsSync(effectAware)
  ? [effectAware, []]
  : [process.execPath, ["node_modules/typescript/bin/tsc"]]
process.exit(spawnSync(command, [...leading, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1)
