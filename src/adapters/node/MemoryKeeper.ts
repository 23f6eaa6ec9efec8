/**
 * Gives memory back once the process is at rest. V8 keeps what it has got for as long as nobody else asks for it, and
 * collects only to make room: after a start with 10,000 objects a quarter of the process would be garbage for hours.
 *
 * Costs at most a twentieth of the work that it follows, and does nothing unless Node was started with `--expose-gc`, as
 * the image does.
 */
import { Duration, Effect, Layer } from "effect"

/** How often the processor time is looked at, and how little of it in between is rest, both in milliseconds. */
const INTERVAL = 10_000
const REST = 200
/** A collection has to be worth its while: after this much work in milliseconds, and this many times what the last one cost. */
const WORK = 1_000
const SHARE = 20

export interface Memory {
  /** The processor time that the process has used, in milliseconds. */
  readonly used: () => number
  readonly collect: () => void
}

/** Never ends. */
export const keep = ({ collect, used }: Memory): Effect.Effect<never> =>
  Effect.suspend(() => {
    let worth = WORK
    let collected = 0
    let before = used()
    const look = Effect.sync(() => {
      const now = used()
      const rests = now - before < REST
      before = now
      if (!rests || now - collected < worth) return
      collect()
      before = used()
      collected = before
      worth = Math.max(WORK, SHARE * (before - now))
    })
    return Effect.forever(Effect.andThen(Effect.sleep(Duration.millis(INTERVAL)), look))
  })

const used = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1_000
}

export const layer: Layer.Layer<never> = Layer.effectDiscard(
  Effect.suspend(() => {
    const { gc } = globalThis
    if (gc === undefined) return Effect.void
    // the only flavour that also hands back the pages
    const collect = () => void gc({ type: "major", execution: "sync", flavor: "last-resort" })
    return Effect.forkScoped(keep({ used, collect }))
  })
)
