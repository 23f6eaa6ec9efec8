import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { describe, expect, it } from "vitest"

const Versions = Schema.Record(Schema.String, Schema.String)
const Manifest = Schema.Struct({
  dependencies: Versions,
  devDependencies: Versions,
  optionalDependencies: Versions
})
const manifest = Schema.decodeSync(Schema.fromJsonString(Manifest))(readFileSync("package.json", "utf8"))
const reasons = readFileSync("CONTRIBUTING.md", "utf8")

describe("a dependency", () => {
  for (const [name, version] of Object.values(manifest).flatMap((group) => Object.entries(group))) {
    it(`is of one exact version: ${name}`, () => expect(version).toMatch(/^\d+\.\d+\.\d+$/u))
    it(`has a reason in CONTRIBUTING.md: ${name}`, () =>
      expect(reasons).toMatch(new RegExp(`^\\| [^|]*\`${name}\`[^|]*\\| \\S`, "mu")))
  }
})
