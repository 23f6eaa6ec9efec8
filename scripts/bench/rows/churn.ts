/**
 * Whether anything is left of a machine that was ordered, built and removed: lifecycles by the hundred thousand in virtual
 * time, in this process, over wires without sockets. What the simulators remember is thrown away after every batch, so that
 * what grows is the operator's.
 */
import { setImmediate } from "node:timers/promises"
import { getHeapStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Effect, Metric, References, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { GROUP, KIND, VERSION } from "../../../src/domain/ComputeInstance.ts"
import * as SimulatedAap from "../../../test/support/SimulatedAap.ts"
import * as VirtualTime from "../../../test/support/VirtualTime.ts"
import { makeWorld } from "../../../test/support/World.ts"
import { LeanKubernetes } from "../../processes/LeanKubernetes.ts"
import { timeNow } from "../../processes/Recorder.ts"
import type { Measure } from "../Outcome.ts"
import type { Row } from "../Row.ts"
import { specOf } from "../sample.ts"
import { UserFailed } from "../Users.ts"
import { watchProcesses } from "../Watcher.ts"

/** Lifecycles at the same time. */
const BATCH = 250
/** Lifecycles until what is remembered of the latest few thousand, and bounded, is full: Events, above all. */
const WARM_UP = 8_000
/** With fewer lifecycles the collector's own ups and downs are larger than what is looked for. */
const ENOUGH = 20_000
/** Bytes of growth for each lifecycle that are noise: an object has 4,000. */
const FLAT = 20
const MEBIBYTE = 1024 * 1024

const JOB: SimulatedAap.Playbook = { pendingFor: "40 seconds", runningFor: "131 seconds", ends: "successful" }

const collectGarbage = (): (() => void) => {
  setFlagsFromString("--expose-gc")
  // code that is thrown away and compiled again would be noise of megabytes
  setFlagsFromString("--no-flush-bytecode")
  const collect: unknown = runInNewContext("gc")
  return () => {
    if (typeof collect === "function") collect()
  }
}

/** Fibers that have begun and not ended. */
const makeFibers = () => {
  let alive = 0
  const service: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => {
      alive += 1
    },
    recordFiberEnd: () => {
      alive -= 1
    }
  }
  return { service, alive: () => alive }
}

/** A world whose simulators can be made to forget what is over. */
const makeChurned = Effect.gen(function* () {
  const cluster = new LeanKubernetes(`${GROUP}/${VERSION}`, KIND)
  let launched = 0
  const emptyAap = () => Effect.tap(SimulatedAap.make({ firstJobId: launched + 1 }), (made) => made.play(() => JOB))
  let aap = yield* emptyAap()
  const world = yield* makeWorld({
    concurrency: 64,
    around: { kubernetes: () => cluster.handler, aap: () => (request) => aap.handler(request) }
  })
  const forget = Effect.gen(function* () {
    launched += (yield* aap.ledger).length
    aap = yield* emptyAap()
    cluster.compact()
    yield* world.kubernetesWire.forget
    yield* world.aapWire.forget
  })
  return { world, cluster, forget, launched: () => launched }
})
type Churned = Effect.Success<typeof makeChurned>

const lives = ({ cluster, forget, world }: Churned, from: number, count: number) =>
  Effect.gen(function* () {
    const names = Array.from({ length: count }, (_, index) => `vm-${from + index}`)
    yield* Effect.forEach(names, (name) => world.user.create(name, specOf(name)), { discard: true })
    yield* TestClock.adjust("5 minutes")
    yield* Effect.forEach(names, (name) => world.user.remove(name), { discard: true })
    yield* TestClock.adjust("5 minutes")
    if (cluster.size > 0) return yield* new UserFailed({ message: `${cluster.size} machines are not gone` })
    yield* forget
  })

interface Look {
  /** Lifecycles until then. */
  readonly after: number
  readonly heap: number
  readonly fibers: number
  readonly handles: number
}

/** Bytes for each lifecycle, by least squares. */
const slopeOf = (looks: ReadonlyArray<Look>): number => {
  const mean = (of: (look: Look) => number) => looks.reduce((sum, look) => sum + of(look), 0) / looks.length
  const [x, y] = [mean(({ after }) => after), mean(({ heap }) => heap)]
  const across = looks.reduce((sum, { after, heap }) => sum + (after - x) * (heap - y), 0)
  return across / looks.reduce((sum, { after }) => sum + (after - x) ** 2, 0)
}

const observed = (n: number): Effect.Effect<ReadonlyArray<Look>, UserFailed, Scope.Scope> => {
  const fibers = makeFibers()
  const collect = collectGarbage()
  return Effect.gen(function* () {
    const churned = yield* makeChurned
    yield* churned.world.start
    const looks: Array<Look> = []
    for (let after = 0; after < n; ) {
      const count = Math.min(BATCH, n - after)
      yield* lives(churned, after, count)
      after += count
      // finalizers and timers of Node's own have their turn
      yield* Effect.promise(() => setImmediate())
      collect()
      const handles = process.getActiveResourcesInfo().length
      looks.push({ after, heap: getHeapStatistics().used_heap_size, fibers: fibers.alive(), handles })
    }
    if (churned.launched() !== 2 * n) {
      return yield* new UserFailed({ message: `${churned.launched()} launches instead of ${2 * n}` })
    }
    return looks
  }).pipe(
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.provideService(Metric.FiberRuntimeMetrics, fibers.service),
    Effect.provide(VirtualTime.layer)
  )
}

const measuresOf = (looks: ReadonlyArray<Look>): ReadonlyArray<Measure> => {
  const [first, last] = [looks[0], looks.at(-1)]
  const enough = last !== undefined && last.after >= ENOUGH
  const steady = looks.filter(({ after }) => after > (enough ? WARM_UP : 0.3 * (last?.after ?? 0)))
  const [begun] = steady
  if (first === undefined || last === undefined || begun === undefined) return []
  const thirds = Math.max(1, Math.floor(steady.length / 3))
  const least = (part: ReadonlyArray<Look>) => Math.min(...part.map(({ heap }) => heap)) / MEBIBYTE
  return [
    {
      what: "heap grows, bytes for each lifecycle",
      value: Math.max(0, slopeOf(steady)),
      unit: "",
      ...(enough ? { target: FLAT } : {})
    },
    { what: "heap after the first batch", value: first.heap / MEBIBYTE, unit: "MiB" },
    { what: "heap after the warm-up, least of a third", value: least(steady.slice(0, thirds)), unit: "MiB" },
    { what: "heap in the end, least of a third", value: least(steady.slice(-thirds)), unit: "MiB" },
    { what: "fibers in the end", value: last.fibers, unit: "" },
    { what: "fibers more than after the first batch", value: last.fibers - first.fibers, unit: "", target: 0 },
    { what: "handles more than after the first batch", value: last.handles - first.handles, unit: "", target: 0 }
  ]
}

export const churn: Row = {
  name: "churn",
  title: "lifecycles in virtual time",
  n: 100_000,
  portable: false,
  run: (_, n) =>
    Effect.gen(function* () {
      const watcher = yield* watchProcesses(process.pid, [])
      const begun = timeNow()
      const measures = measuresOf(yield* Effect.scoped(observed(n)))
      const took = (timeNow() - begun) / 1000
      const speed: Measure = { what: "took, all together", value: took, unit: "s" }
      return { row: "churn", n, measures: [...measures, speed], beside: watcher.beside() }
    })
}
