/** docs/install.md: every block of commands as it is printed, in a copy of the checkout, but those that are marked. */
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { assets } from "../cluster/assets.ts"
import * as SimulatedAap from "../support/SimulatedAap.ts"
import { serve } from "../support/Wire.ts"
import { type BenchShape, OPERATOR, overlay, SYSTEM } from "./Bench.ts"
import { operate, stopped } from "./Operating.ts"

type Check = (bench: BenchShape) => Effect.Effect<void, never, Scope.Scope>

interface Block {
  readonly heading: string
  readonly script: string
  /** What it says it needs more than an API server. */
  readonly needs: string | undefined
}

const fenced = /(?:\*\*Needs (a [a-z ]+)\*\*[^\n]*:\n\n)?```bash\n([\s\S]*?)```/gu

const blocks: ReadonlyArray<Block> = readFileSync("docs/install.md", "utf8")
  .split(/^## /mu)
  .slice(1)
  .flatMap((section) => {
    const heading = section.split("\n")[0] ?? ""
    return [...section.matchAll(fenced)].map(([, needs, script = ""]) => ({ heading, script, needs }))
  })

/** The checkout without what is made in it; the manifests may be added to. */
const copyOf = (home: string): string => {
  const folder = join(home, "checkout")
  mkdirSync(folder)
  const kept = readdirSync(".").filter((name) => !/^(?:\.git|coverage|dist|k8s)$/u.test(name))
  for (const name of kept) symlinkSync(resolve(name), join(folder, name))
  cpSync("k8s", join(folder, "k8s"), { recursive: true })
  return folder
}

interface Shell {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

const run = ({ cwd, env }: Shell, script: string): Effect.Effect<string> =>
  Effect.callback<string>((done) => {
    const child = spawn("bash", ["--noprofile", "--norc", "-euo", "pipefail", "-c", script], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk
      })
    }
    child.on("close", (code) => {
      done(code === 0 ? Effect.succeed(output) : Effect.die(new Error(`ended with ${code}: ${script}\n${output}`)))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Takes the page's blocks one after the other; each must be under the given heading. */
const reading = (shell: Shell, replaced: readonly [string, string]) => {
  const left = blocks.filter(({ needs }) => needs === undefined)
  return {
    left,
    under: (heading: string): Effect.Effect<string> =>
      Effect.suspend(() => {
        const block = left.shift()
        assert.strictEqual(block?.heading, heading)
        return run(shell, (block?.script ?? "").replaceAll(...replaced))
      })
  }
}

/** What is there from before is not the page's. */
const startOver = (bench: BenchShape) =>
  Effect.gen(function* () {
    yield* bench.kubectl("delete", "secrets", "--all", "-n", SYSTEM)
    yield* bench.kubectl("delete", "deployment", OPERATOR, "-n", SYSTEM, "--ignore-not-found")
  })

/** The AAP of the page, in which every job succeeds. */
const makeAap = Effect.gen(function* () {
  const aap = yield* SimulatedAap.make()
  yield* aap.play(() => ({ pendingFor: 0, runningFor: "300 millis", ends: "successful" }))
  return (yield* serve(aap.handler)).url
})

const hurried = { CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1s", NO_PROXY: "127.0.0.1" }

const follow: Check = (bench) =>
  Effect.gen(function* () {
    const url = yield* makeAap
    const env = {
      ...process.env,
      PATH: `${assets}:${process.env.PATH}`,
      KUBECONFIG: bench.admin,
      AAP_TOKEN: "operator-token"
    }
    const page = reading({ cwd: copyOf(bench.home), env }, ["https://aap.example.com", url])
    yield* startOver(bench)
    const built = yield* page.under("The image")
    assert.match(built, /main\.mjs[\s\S]*sbom\.cdx\.json: \d+ components/u)
    yield* page.under("With AAP")
    const operator = yield* operate(bench, 65_532, hurried)
    yield* bench.kubectl("delete", "secret", "cloudkit-config", "-n", SYSTEM)
    assert.include(yield* page.under("With EDA"), "restarted")
    yield* startOver(bench)
    yield* bench.kubectl("apply", "-k", overlay("aap"))
    const ordered = yield* page.under("See that it runs")
    assert.match(ordered, /condition met[\s\S]*Ready[\s\S]*JobSucceeded[\s\S]*deleted/u)
    yield* stopped(operator)
    yield* page.under("An overlay of your own")
    assert.include(yield* page.under("An overlay of your own"), "deleted")
    assert.include(yield* page.under("Rights"), "leases.coordination.k8s.io")
    yield* bench.kubectl("create", "secret", "generic", "aap-credentials", "-n", SYSTEM, "--from-literal=token=old")
    assert.include(yield* page.under("Replace the token"), "configured")
    assert.include(yield* page.under("Upgrade"), "configured")
    assert.include(yield* page.under("Stop, or remove"), "scaled")
    assert.include(yield* page.under("Stop, or remove"), "No resources found")
    assert.deepStrictEqual(page.left, [])
  })

export const page: Readonly<Record<string, Check>> = {
  "the page marks what it cannot have run here, and nothing else": () =>
    Effect.sync(() => {
      const marked = blocks.flatMap(({ heading, needs }) => (needs === undefined ? [] : [`${heading}: ${needs}`]))
      assert.deepStrictEqual(marked, ["The image: a container engine", "See that it runs: a whole cluster"])
      const words = readFileSync("docs/install.md", "utf8")
      assert.strictEqual(words.match(/```bash/gu)?.length, blocks.length)
    }),
  "from the first command of the page to the last": follow
}
