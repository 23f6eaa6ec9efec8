/**
 * Kills the operator over and over: bursts of kills with a pause after each, so that what needs time gets it; two processes
 * that elect their leader at first, then one alone, and so on.
 */
import { Effect } from "effect"
import { type Ambush, inLaunchWindow, type Place, places, type Signal } from "./Ambush.ts"
import type { Chance } from "./Chance.ts"
import type { Replica } from "./Replica.ts"

/** Milliseconds, and how many kills. */
const single = { elected: false, kills: 8, patience: 2_500, pause: 6_000 }
const several = { elected: true, kills: 2, patience: 9_000, pause: 6_000 }
type Mode = typeof single

export interface Kills {
  readonly all: () => number
  readonly inWindow: () => number
  /** How often, by place and signal. */
  readonly byPlace: () => ReadonlyArray<readonly [string, number]>
}

export interface Killer extends Kills {
  /** Goes on until it is interrupted. */
  readonly run: Effect.Effect<void>
  /** Ends whoever runs, and starts one process that nobody harms. */
  readonly relent: Effect.Effect<void>
}

export interface Stage {
  readonly ambush: Ambush
  readonly chance: Chance
  /** `alternating`: two processes, then one, and so on. */
  readonly replicas: 1 | 2 | "alternating"
  /** The first one is there in every mode. */
  readonly all: readonly [Replica, Replica]
}

const makeTally = () => {
  const counts = new Map<string, number>()
  let inWindow = 0
  return {
    count: (place: Place | "at any time", signal: Signal) => {
      const key = `${signal} ${place}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      if (inLaunchWindow.some((one) => one === place)) inWindow += 1
    },
    all: () => [...counts.values()].reduce((sum, one) => sum + one, 0),
    inWindow: () => inWindow,
    byPlace: () => [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
  }
}

export const makeKiller = ({ all, ambush, chance, replicas }: Stage): Killer => {
  const { count, ...kills } = makeTally()
  const [first] = all
  const ofMode = ({ elected }: Mode): readonly [Replica, ...ReadonlyArray<Replica>] => (elected ? all : [first])

  const startAll = (mode: Mode) =>
    Effect.forEach(ofMode(mode), (replica) => (replica.isWell() ? Effect.void : replica.start(mode.elected)), {
      discard: true
    })

  const endAll = Effect.suspend(() =>
    Effect.forEach(
      all,
      (replica) =>
        replica.isWell()
          ? Effect.andThen(replica.strike(chance.oneOf(["SIGKILL", "SIGTERM"])), replica.ended)
          : replica.ended,
      { discard: true }
    )
  )

  const kill = Effect.fnUntraced(function* (mode: Mode) {
    const signal: Signal = chance.happens(0.25) ? "SIGTERM" : "SIGKILL"
    yield* Effect.sleep(chance.between(0, 1_200))
    // mostly where it hurts
    const place = chance.happens(0.8) ? chance.oneOf(inLaunchWindow) : chance.oneOf(places)
    const isStruck = chance.happens(0.95) && (yield* ambush.lay(place, signal, mode.patience))
    if (isStruck) count(place, signal)
    else {
      const replica = chance.oneOf(ofMode(mode))
      count("at any time", signal)
      yield* replica.strike(signal)
    }
    yield* startAll(mode)
  })

  const burst = Effect.fnUntraced(function* (mode: Mode) {
    yield* startAll(mode)
    for (let n = 0; n < mode.kills; n++) yield* kill(mode)
    yield* Effect.sleep(mode.pause)
  })

  const rounds: Readonly<Record<Stage["replicas"], ReadonlyArray<Mode>>> = {
    1: [single],
    2: [several],
    alternating: [several, single, single, single]
  }

  const run = Effect.gen(function* () {
    let before: Mode | undefined
    for (let n = 0; ; n++) {
      const modes = rounds[replicas]
      const mode = modes[n % modes.length] ?? single
      // one that elects nobody must not work beside those who do
      if (before !== undefined && before.elected !== mode.elected) yield* endAll
      before = mode
      yield* burst(mode)
    }
  })

  return { ...kills, run, relent: Effect.andThen(endAll, first.start(replicas !== 1)) }
}
