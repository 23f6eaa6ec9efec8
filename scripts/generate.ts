/** Writes the generated files, and says which of them changed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { generated } from "./generated.ts"

for (const [path, content] of generated) {
  const same = existsSync(path) && readFileSync(path, "utf8") === content
  if (!same) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  console.log(`${same ? "unchanged" : "written"} ${path}`)
}
