/** That the container of these tests is as tight as the Deployment says: otherwise they would prove nothing. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { fromUnknown, objectAt } from "../support/kubernetes/Json.ts"
import type { BenchShape } from "./Bench.ts"
import { foundBy } from "./Operating.ts"
import * as Pod from "./Pod.ts"

type Check = (bench: BenchShape) => Effect.Effect<void, never, Scope.Scope>

/** Tries to write everywhere, and tells what came of it and who it was. */
const PROGRAM = `
const { readFileSync, writeFileSync } = require("node:fs")
const attempt = (folder) => {
  try { writeFileSync(folder + "/written", ""); return "written" } catch ({ code }) { return code }
}
const folders = ["", "/opt/cloudkit", "/usr", "/etc", "/etc/cloudkit/aap", "/var/run/secrets/kubernetes.io/serviceaccount", "/tmp"]
const status = Object.fromEntries(readFileSync("/proc/self/status", "utf8").split("\\n").map((line) => line.split(":\\t")))
const { Uid, Gid, CapEff, CapBnd, NoNewPrivs, Groups = "" } = status
const who = { Uid, Gid, CapEff, CapBnd, NoNewPrivs, Groups: Groups.trim() }
console.log(JSON.stringify({ wrote: Object.fromEntries(folders.map((folder) => [folder, attempt(folder)])), who }))
`

const none = "0000000000000000"

/** Who and what the container lets its process be. */
const seenAs = Effect.fnUntraced(function* (bench: BenchShape, uid: number) {
  const log = join(bench.home, `seen-as-${uid}.log`)
  writeFileSync(log, "")
  const command = ["/opt/cloudkit/bin/node", "-e", PROGRAM]
  const pod = yield* Pod.start(yield* bench.contents, yield* foundBy(bench), { uid, command }, log)
  const code = yield* pod.ended
  assert.strictEqual(code, 0, readFileSync(log, "utf8"))
  return objectAt(fromUnknown(JSON.parse(readFileSync(log, "utf8"))))
})

const isTight: Check = (bench) =>
  Effect.gen(function* () {
    for (const uid of [1_000_650_000, 65_532]) {
      assert.deepStrictEqual(yield* seenAs(bench, uid), {
        wrote: {
          "": "EROFS",
          "/opt/cloudkit": "EROFS",
          "/usr": "EROFS",
          "/etc": "EROFS",
          "/etc/cloudkit/aap": "EROFS",
          "/var/run/secrets/kubernetes.io/serviceaccount": "EROFS",
          "/tmp": "written"
        },
        who: {
          Uid: Array.from({ length: 4 }, () => uid).join("\t"),
          Gid: "0\t0\t0\t0",
          CapEff: none,
          CapBnd: none,
          NoNewPrivs: "1",
          Groups: ""
        }
      })
    }
  })

const leftOut: Check = () =>
  Effect.sync(() => {
    process.stdout.write(`Left out: the operator in a container of its own; ${Pod.obstacle}.\n`)
    assert.isDefined(Pod.obstacle)
  })

export const containing: Readonly<Record<string, Check>> =
  Pod.obstacle === undefined
    ? { "in its container the operator can write to the declared emptyDir and nowhere else": isTight }
    : { "says why the operator was not run in a container of its own": leftOut }
