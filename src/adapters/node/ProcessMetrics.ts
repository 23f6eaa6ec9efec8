/**
 * What the process itself is like: processor time, memory, how late its event loop is, and which build it runs.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, Layer } from "effect"
import { processMetrics } from "../../telemetry/Metrics.ts"

/** Milliseconds between two looks at the event loop, each of which costs CPU. What a look is late is the loop's lag. */
const RESOLUTION = 100

const show = Effect.fnUntraced(function* (version: string) {
  const { build, cpu, external, heapTotal, heapUsed, lag, lagP99, resident, started } = processMetrics
  const loop = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const opened = monitorEventLoopDelay({ resolution: RESOLUTION })
      opened.enable()
      return opened
    }),
    (opened) => Effect.sync(() => opened.disable())
  )
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1_000_000 - RESOLUTION) / 1_000
  const start = Date.now() / 1_000 - process.uptime()

  yield* build.set({ version, nodejs: process.versions.node }, 1)
  yield* started.set({}, start)
  yield* cpu.reads({}, () => {
    const { system, user } = process.cpuUsage()
    return (system + user) / 1_000_000
  })
  yield* resident.reads({}, () => process.memoryUsage.rss())
  yield* heapUsed.reads({}, () => process.memoryUsage().heapUsed)
  yield* heapTotal.reads({}, () => process.memoryUsage().heapTotal)
  yield* external.reads({}, () => process.memoryUsage().external)
  yield* lagP99.reads({}, () => late(loop.percentile(99)))
  // read last: the next scrape tells of what happens from here on
  yield* lag.reads({}, () => {
    const longest = late(loop.max)
    loop.reset()
    return longest
  })
})

export const layer = (version: string): Layer.Layer<never> => Layer.effectDiscard(show(version))
