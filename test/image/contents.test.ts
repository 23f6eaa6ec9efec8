/** The Containerfile, the folder that is assembled from it, and what may go into the build. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { commandsIn, copiesIn, finalStage, stagesIn, startOf } from "../../scripts/image/Containerfile.ts"
import { imageContents } from "../../scripts/image/contents.ts"

const text = readFileSync("k8s/Containerfile", "utf8")
const stages = stagesIn(text)
const final = finalStage(stages)

const temporary = <A>(use: (folder: string) => A): A => {
  const folder = mkdtempSync(join(tmpdir(), "cloudkit-contents-"))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .toSorted()

/** What a part of the bundle imports, and is not there. */
const missingParts = (folder: string): ReadonlyArray<string> => {
  const files = filesIn(folder)
  return files
    .filter((file) => file.endsWith(".mjs"))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), "utf8").matchAll(/(?:from|import\()\s*"\.\/([^"]+\.mjs)"/gu)
    ])
    .map(([, part = ""]) => join("/opt/cloudkit", part))
    .filter((part) => !files.includes(part))
}

describe("the image", () => {
  it("is the base without a package manager, Node, the bundle and the licence", () => {
    assert.strictEqual(final.from, "scratch")
    assert.deepStrictEqual(
      copiesIn(final).map(({ from, target }) => `${from} ${target}`),
      ["base /", "bundle /licenses/LICENSE", "node /opt/cloudkit/bin/node", "bundle /opt/cloudkit/"]
    )
    assert.deepStrictEqual(commandsIn(final), [])
    const [removal = ""] = commandsIn(stages.find(({ name }) => name === "base") ?? final)
    for (const tool of ["microdnf", "dnf", "yum", "rpm", "npm", "npx", "corepack"]) assert.include(removal, ` ${tool}`)
    assert.match(removal, /command -v "\$tool"; then exit 1/u)
    assert.include(removal, "curl --version && sh -c true")
  })

  it("keeps the memory of Node small, with options that Node takes from its environment", () => {
    const { env } = startOf(final)
    assert.strictEqual(env.MALLOC_ARENA_MAX, "1")
    assert.strictEqual(env.MALLOC_MMAP_THRESHOLD_, "32768")
    assert.strictEqual(env.MALLOC_TRIM_THRESHOLD_, "65536")
    assert.strictEqual(env.NODE_OPTIONS, "--max-semi-space-size=8 --v8-pool-size=1 --expose-gc")
    const version = execFileSync(process.execPath, ["--version"], { encoding: "utf8", env })
    assert.strictEqual(version, `${process.version}\n`)
  })

  it("runs as a number that is not root, with group 0", () => {
    assert.deepStrictEqual(startOf(final).user, "65532:0")
  })

  it("is assembled as the Containerfile says, readable by everybody and writable by nobody else", () => {
    temporary((folder) => {
      const { entrypoint, env, files } = imageContents(resolve("."), folder)
      assert.deepStrictEqual(filesIn(folder), files.toSorted())
      assert.deepStrictEqual(missingParts(folder), [])
      const bundled = /^\/opt\/cloudkit\/[A-Za-z]+(?:-[0-9A-Z]{8})?\.mjs$/u
      const others = filesIn(folder).filter((file) => !bundled.test(file))
      assert.deepStrictEqual(others, ["/licenses/LICENSE", "/opt/cloudkit/bin/node"])
      for (const file of filesIn(folder)) {
        const mode = (statSync(join(folder, file)).mode & 0o777).toString(8)
        assert.strictEqual(mode, file.endsWith("/node") ? "755" : "644", file)
      }
      const [node = "", bundle = ""] = entrypoint.map((word) => join(folder, word))
      assert.strictEqual(execFileSync(node, ["--version"], { encoding: "utf8" }), `${process.version}\n`)
      // the bundle needs nothing beside itself: it gets as far as its configuration
      const said = temporary((empty) => {
        try {
          return execFileSync(node, [bundle], { cwd: empty, env, encoding: "utf8", stdio: "pipe" })
        } catch (error) {
          return error instanceof Error && "stderr" in error ? String(error.stderr) : ""
        }
      })
      assert.include(said, "CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK")
    })
  })

  it("takes from the checkout only what .containerignore lets through, and everything that does", () => {
    const through = readFileSync(".containerignore", "utf8")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1))
    const taken = stages.flatMap(copiesIn).flatMap(({ from, sources }) => (from === undefined ? sources : []))
    assert.deepStrictEqual([...new Set(taken)].toSorted(), through.toSorted())
    assert.match(readFileSync(".containerignore", "utf8"), /^\*$/mu)
  })

  it("has a Node for either architecture, both from the lock file", () => {
    const lock: unknown = JSON.parse(readFileSync("package-lock.json", "utf8"))
    const locked = JSON.stringify(lock)
    for (const cpu of ["x64", "arm64"]) assert.include(locked, `"node_modules/node-linux-${cpu}"`)
    const command = commandsIn(stages.find(({ name }) => name === "node") ?? final).join("\n")
    const cpu = (arch: string) =>
      execFileSync("sh", ["-c", /cpu=\$\(.*?\)/u.exec(command)?.[0].concat('; echo "$cpu"') ?? ""], {
        encoding: "utf8",
        env: { PATH: process.env.PATH ?? "", TARGETARCH: arch }
      }).trim()
    assert.strictEqual(cpu("amd64"), "x64")
    assert.strictEqual(cpu("arm64"), "arm64")
  })
})

it("a Containerfile that is not understood is refused", () => {
  assert.throws(() => stagesIn("FROM scratch\nADD https://example.com/x /x"), "not understood: ADD")
  assert.throws(() => copiesIn(finalStage(stagesIn("FROM scratch\nCOPY --parents a /"))), "not understood")
})
