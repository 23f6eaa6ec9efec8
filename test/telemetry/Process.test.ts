/** The operator as a process, scraped over HTTP as Prometheus does it. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { describe } from "vitest"
import { declared } from "../../src/telemetry/Metrics.ts"
import { start } from "../document/OperatorProcess.ts"
import { temporaryFolder } from "../rulebook/Process.ts"
import { freePort } from "../support/ports.ts"
import { isPresent, leftOut, promtool } from "./promtool.ts"
import { read, valueIn } from "./scraped.ts"

const TOKEN = "canary-of-the-cluster"

const kubeconfig = (port: number) => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "x",
  contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
  clusters: [{ name: "x", cluster: { server: `http://127.0.0.1:${port}` } }],
  users: [{ name: "x", user: { token: TOKEN } }]
})

/** A process that reaches nobody, and what it answers to a scrape. */
const scraped = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const config = join(folder, "kubeconfig")
  const metrics = yield* freePort
  writeFileSync(config, JSON.stringify(kubeconfig(yield* freePort)))
  yield* start(
    {
      KUBECONFIG: config,
      CLOUDKIT_PROVISIONING_PROVIDER: "aap",
      CLOUDKIT_AAP_URL: "http://127.0.0.1:9/canary-address",
      CLOUDKIT_AAP_TOKEN: "canary-of-aap",
      CLOUDKIT_AAP_PROVISION_TEMPLATE: "canary-create",
      CLOUDKIT_AAP_DEPROVISION_TEMPLATE: "canary-delete",
      CLOUDKIT_METRICS_PORT: String(metrics)
    },
    join(folder, "log")
  )
  const get = Effect.tryPromise(async () => {
    const response = await fetch(`http://127.0.0.1:${metrics}/metrics`)
    return { type: response.headers.get("content-type"), ...read(await response.text()) }
  })
  const failing = Effect.filterOrFail(
    get,
    (one) => (valueIn(one, 'cloudkit_watch_failures_total{activity="list"}') ?? 0) > 0
  )
  return yield* Effect.retry(failing, { schedule: Schedule.spaced("100 millis"), times: 1200 })
}).pipe(Effect.scoped)

describe("a process without a cluster", () => {
  it.live("answers /metrics all the same, in the text format, with everything that is declared and no secret", () =>
    Effect.gen(function* () {
      const answer = yield* scraped
      assert.strictEqual(answer.type, "text/plain; version=0.0.4; charset=utf-8")
      assert.strictEqual(
        valueIn(answer, `cloudkit_build_info{version="0.1.0",nodejs="${process.versions.node}"}`),
        1,
        answer.text
      )
      for (const name of [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "nodejs_heap_size_used_bytes"
      ]) {
        assert.isAbove(valueIn(answer, name) ?? 0, 0, name)
      }
      const age = Date.now() / 1_000 - (valueIn(answer, "process_start_time_seconds") ?? 0)
      assert.isTrue(age > 0 && age < 120, `started ${age} seconds ago`)
      assert.isAbove(valueIn(answer, 'rest_client_requests_total{code="<error>",method="GET"}') ?? 0, 0)
      assert.strictEqual(valueIn(answer, "cloudkit_duplicate_jobs_total"), 0)
      const listed = declared.filter(({ declaration }) =>
        Object.values(declaration.labels).every((label) => label.form === undefined)
      )
      assert.deepStrictEqual(
        listed.map(({ declaration }) => declaration.name).filter((name) => !answer.families.has(name)),
        []
      )
      assert.notInclude(answer.text, "canary")
      if (isPresent) assert.deepStrictEqual(promtool(["check", "metrics"], answer.text), { status: 0, said: "" })
      else leftOut("promtool's opinion of the metrics")
    })
  )
})
