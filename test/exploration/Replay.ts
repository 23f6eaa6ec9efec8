/**
 * Runs production passes against recorded answers. The services of the pipeline's own memory are the production ones; what
 * they hold is put in before a pass and read after it.
 */
import { Clock, Context, Effect, Layer, Option, References } from "effect"
import type { KubernetesObject } from "../../src/domain/Resource.ts"
import { Clearance } from "../../src/ports/Clearance.ts"
import { Events } from "../../src/ports/Events.ts"
import { KubernetesClient } from "../../src/ports/KubernetesClient.ts"
import { Providers } from "../../src/ports/ProvisioningProvider.ts"
import { Answers } from "../../src/reconcile/Answers.ts"
import { IntentClock } from "../../src/reconcile/IntentClock.ts"
import { Settings } from "../../src/reconcile/Settings.ts"
import { StandingProblem } from "../../src/reconcile/StandingProblem.ts"
import { Store } from "../../src/reconcile/Store.ts"
import { Turnstile } from "../../src/reconcile/Turnstile.ts"
import { client } from "./Cluster.ts"
import { providersOf } from "./Outside.ts"
import { enter, give, KEY, type Memory, type Profile, QUIET, type Run, run, settings, shown } from "./Run.ts"
import { BASE, type Version } from "./Versions.ts"

// ── time and memory ──────────────────────────────────────────────────────────────────────────────────────────────────

const wall = (): number => BASE + run().now + run().profile.ahead
const monotonic = (): bigint => BigInt(run().now) * 1_000_000n

/** The clock of the process the pass runs in. Sleeping costs no time: how long something takes is the world's to choose. */
const clock: Clock.Clock = {
  currentTimeMillisUnsafe: wall,
  currentTimeMillis: Effect.sync(wall),
  currentTimeNanosUnsafe: () => BigInt(wall()) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => BigInt(wall()) * 1_000_000n),
  monotonicTimeNanosUnsafe: monotonic,
  monotonicTimeNanos: Effect.sync(monotonic),
  sleep: () => Effect.void
}

const remember = (change: Partial<Memory>): void => {
  const here = run()
  here.memory = { ...here.memory, ...change }
}

/** One object alone is always let in. */
const turnstile = Turnstile.layer({ places: 1, call: () => Effect.void })

const inner = Effect.runSync(
  Effect.scoped(Layer.build(Layer.mergeAll(IntentClock.layer, StandingProblem.layer, Answers.layer, turnstile)))
)
const production = {
  clock: Context.get(inner, IntentClock),
  standing: Context.get(inner, StandingProblem),
  answers: Context.get(inner, Answers)
}

const intentClock = IntentClock.of({
  age: (object, stamp) =>
    Effect.tap(production.clock.age(object, stamp), (age) =>
      Effect.sync(() => remember({ clock: { stamp, at: run().now - age } }))
    ),
  forget: (object) =>
    Effect.andThen(
      production.clock.forget(object),
      Effect.sync(() => remember({ clock: undefined }))
    )
})

const standingProblem = StandingProblem.of({
  ...production.standing,
  note: (object, step, problem) =>
    Effect.andThen(
      production.standing.note(object, step, problem),
      Effect.sync(() => remember({ standing: { step, problem } }))
    ),
  clear: (object) =>
    Effect.andThen(
      production.standing.clear(object),
      Effect.sync(() => remember({ standing: undefined }))
    ),
  said: (object, words) =>
    Effect.andThen(
      production.standing.said(object, words),
      // how many seconds ago makes no difference, as long as it was in this quiet period
      Effect.sync(() => remember({ spoken: { words, at: run().now - (run().now % QUIET) } }))
    ),
  forget: (object) =>
    Effect.andThen(
      production.standing.forget(object),
      Effect.sync(() => remember({ standing: undefined, spoken: undefined }))
    )
})

const answers = Answers.of({
  of: production.answers.of,
  keep: (object, change) =>
    Effect.andThen(
      production.answers.keep(object, change),
      Effect.sync(() => remember({ kept: { name: run().name, change } }))
    ),
  clear: (key) =>
    Effect.andThen(
      production.answers.clear(key),
      Effect.sync(() => remember({ kept: undefined }))
    )
})

const store = Store.of({
  get: () =>
    Effect.sync(() => {
      const { given, held } = run()
      const version = held === undefined ? undefined : given[held]
      return held === undefined || version === undefined ? Option.none() : Option.some(shown(version, held))
    }),
  apply: (object) =>
    Effect.sync(() => {
      const here = run()
      const place = Number(object.metadata.resourceVersion)
      if (here.held !== undefined && place > here.held) here.held = place
    })
})

/** Does something as if it were earlier. */
const backAt = <A>(at: number, effect: Effect.Effect<A>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const here = run()
    const { now } = here
    here.now = at
    return Effect.map(effect, () => {
      here.now = now
    })
  })

/** Puts the memory back that the process had when the pass began. */
const restore = ({ clock: seen, kept, spoken, standing }: Memory, object: KubernetesObject | undefined) =>
  Effect.gen(function* () {
    yield* production.clock.forget(KEY)
    yield* production.standing.forget(KEY)
    yield* production.answers.clear(KEY)
    if (seen !== undefined) yield* backAt(seen.at, production.clock.age(KEY, seen.stamp, "us"))
    if (standing !== undefined) yield* production.standing.note(KEY, standing.step, standing.problem)
    if (spoken !== undefined) yield* backAt(spoken.at, production.standing.said(KEY, spoken.words))
    if (kept !== undefined && object !== undefined) yield* production.answers.keep(object, kept.change)
  })

const context = Context.empty().pipe(
  Context.add(KubernetesClient, client),
  Context.add(Events, Events.of({ publish: () => Effect.void })),
  Context.add(Settings, settings),
  Context.add(IntentClock, intentClock),
  Context.add(StandingProblem, standingProblem),
  Context.add(Answers, answers),
  Context.add(Turnstile, Context.get(inner, Turnstile)),
  Context.add(Store, store),
  Context.add(Clearance, () => run().leads),
  Context.add(Clock.Clock, clock),
  Context.add(References.MinimumLogLevel, "None")
)

type Needs =
  | KubernetesClient
  | Events
  | Settings
  | IntentClock
  | StandingProblem
  | Answers
  | Turnstile
  | Store
  | Providers

const contexts = new Map<Profile, Context.Context<Needs>>()
const contextOf = (profile: Profile): Context.Context<Needs> => {
  const known = contexts.get(profile)
  if (known !== undefined) return known
  const made = Context.add(context, Providers, providersOf(profile))
  contexts.set(profile, made)
  return made
}

/** Runs the pass as far as its answers go. */
export const replay = <A, E>(here: Run, pass: Effect.Effect<A, E, Needs>, view: Version | undefined) => {
  enter(here)
  const object = view === undefined ? undefined : give(view)
  if (view !== undefined) here.held = 0
  return Effect.runSyncExitWith(contextOf(here.profile))(Effect.andThen(restore(here.memory, object), pass))
}
