/** The bundle that the image runs, built from the sources as they are now. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { Effect } from "effect"
import { ProcessFailed } from "../processes/Child.ts"

const run = promisify(execFile)

/** Next to nothing else, so that an image or a test that builds at the same time is not in the way. */
export const build = (directory: string): Effect.Effect<string, ProcessFailed> =>
  Effect.tryPromise({
    try: async () => {
      const bundle = join(directory, "main.mjs")
      await run("npm", ["run", "-s", "build", "--", `--outdir=${directory}`, "--log-level=error"])
      return bundle
    },
    catch: (cause) => new ProcessFailed({ message: `npm run build failed: ${String(cause)}` })
  })
