/**
 * Real processes and real signals: the built operator between simulators that it reaches over HTTP, killed over and over, mostly
 * in the midst of a launch, while both wires fail. Then everything is well again, and the ground truth is judged.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Schedule } from "effect"
import type { ControlPlaneError } from "../../test/cluster/ControlPlane.ts"
import { stringAt } from "../../test/support/kubernetes/Json.ts"
import { lifetime } from "../../test/support/SimulatedAap.ts"
import type { ProcessFailed } from "../processes/Child.ts"
import { makeAmbush } from "./Ambush.ts"
import { build } from "./Bundle.ts"
import { chanceOf } from "./Chance.ts"
import { type Killer, type Stage as KillerStage, makeKiller } from "./Killer.ts"
import { isSettledNow, makePeople, type People } from "./People.ts"
import { makeReplica } from "./Replica.ts"
import { makeSite, type Site } from "./Site.ts"
import { type Case, judge, liars } from "./Verdict.ts"
import { makeWeather, type Weather } from "./Weather.ts"

export interface Options {
  readonly lives: number
  /** At least so many kills between an intent and the record of its job. */
  readonly kills: number
  readonly seed: number
  /** When the kills end, however many lives and kills there were. */
  readonly seconds: number
  readonly kube: "simulated" | "real"
  readonly replicas: KillerStage["replicas"]
  /** The file that is run instead of the bundle of these sources. */
  readonly operator: string | undefined
  /** So many lives at a time. */
  readonly crowd: number
  /** Milliseconds that a job runs at most. */
  readonly longestJob: number
  readonly say: (line: string) => void
}

export interface Outcome {
  readonly lives: number
  readonly jobs: number
  readonly kills: number
  readonly killsInWindow: number
  readonly killsByPlace: ReadonlyArray<readonly [string, number]>
  readonly faults: ReadonlyArray<readonly [string, number]>
  readonly cases: ReadonlyArray<Case>
  /** What went wrong and belongs to no object. */
  readonly problems: ReadonlyArray<string>
  /** Where the operators' logs are, if something is wrong. */
  readonly directory: string
  readonly seconds: number
}

/** How long everything may take to come to rest, and then to its end. */
const PATIENCE = 180

interface Scene {
  readonly site: Site
  readonly people: People
  readonly killer: Killer
  readonly weather: Weather
  readonly stuck: Map<string, string>
  readonly problems: Array<string>
}

/** Looks again and again until it holds, or the time is up. */
const patiently = (holds: Effect.Effect<boolean>, seconds: number): Effect.Effect<boolean> =>
  Effect.repeat(holds, { schedule: Schedule.spaced("500 millis"), until: (isSo) => isSo }).pipe(
    Effect.timeoutOrElse({ duration: `${seconds} seconds`, orElse: () => Effect.succeed(false) })
  )

const progress = ({ killer, people }: Scene, { say }: Options) =>
  Effect.sync(() =>
    say(
      `${people.completed()} lives, ${people.alive()} under way, ${people.waiting()} at rest; ${killer.all()} kills, ${killer.inWindow()} of them in the midst of a launch`
    )
  ).pipe(Effect.delay("5 seconds"), Effect.forever)

const storm = ({ killer, people }: Scene, { kills, lives, seconds }: Options) =>
  Effect.gen(function* () {
    const isEnough = Effect.sync(() => people.completed() >= lives && killer.inWindow() >= kills)
    yield* Effect.raceFirst(Effect.asVoid(patiently(isEnough, seconds)), killer.run)
  })

/** Everything works again, and nobody is killed: whatever lives on comes to rest, and says the truth. */
const rest = Effect.fnUntraced(function* ({ killer, people, problems, site, stuck, weather }: Scene) {
  yield* people.stop
  yield* weather.clear
  yield* killer.relent
  const rests = Effect.gen(function* () {
    if (people.waiting() !== people.alive() || !(yield* site.objects).every(isSettledNow)) return false
    // the whole ledger is no small thing to make: the operators wait for AAP meanwhile
    return (yield* site.aap.ledger).every((job) => Number.isFinite(lifetime(job).to))
  })
  if (yield* patiently(rests, PATIENCE)) problems.push(...liars(yield* site.truth))
  else {
    for (const object of (yield* site.objects).filter((one) => !isSettledNow(one)))
      stuck.set(stringAt(object, "metadata", "name") ?? "", "it did not come to rest")
  }
})

const end = Effect.fnUntraced(function* ({ people, site, stuck }: Scene) {
  yield* people.finish
  const isOver = Effect.map(site.objects, (objects) => objects.length === 0 && people.alive() === 0)
  if (yield* patiently(isOver, PATIENCE)) return
  for (const object of yield* site.objects) {
    stuck.set(stringAt(object, "metadata", "name") ?? "", "its deletion did not come to an end")
  }
})

const furnish = Effect.fnUntraced(function* (options: Options, directory: string) {
  const { crowd, kube, longestJob, replicas, seed } = options
  const bundle = options.operator ?? (yield* build(directory))
  const chance = chanceOf(seed)
  const site = yield* makeSite(kube, chance, longestJob)
  const weather = yield* makeWeather(site, chance)
  const ambush = makeAmbush()
  const problems: Array<string> = []
  const place = { directory, bundle, wires: weather, ambush, problem: (words: string) => void problems.push(words) }
  const all = [yield* makeReplica("operator-a", place), yield* makeReplica("operator-b", place)] as const
  const killer = makeKiller({ all, ambush, chance, replicas })
  const people = yield* makePeople(site, chance, crowd)
  return { site, people, killer, weather, problems, stuck: new Map<string, string>() } satisfies Scene
})

const course = Effect.fnUntraced(function* (options: Options, directory: string) {
  const begun = performance.now()
  const scene = yield* furnish(options, directory)
  const { killer, people, problems, site, stuck, weather } = scene
  yield* Effect.forkScoped(progress(scene, options))
  yield* storm(scene, options)
  options.say("no more kills and faults")
  yield* rest(scene)
  yield* end(scene)
  const truth = yield* site.truth
  const outcome: Outcome = {
    lives: people.completed(),
    jobs: truth.ledger.length,
    kills: killer.all(),
    killsInWindow: killer.inWindow(),
    killsByPlace: killer.byPlace(),
    faults: weather.suffered(),
    cases: judge(truth, people.asked, stuck),
    problems,
    directory,
    seconds: Math.round((performance.now() - begun) / 1000)
  }
  return outcome
}, Effect.scoped)

export const isSound = ({ cases, problems }: Outcome): boolean => cases.length === 0 && problems.length === 0

/** The logs of the operators stay where they are only if something is wrong. */
export const soak = (options: Options): Effect.Effect<Outcome, ProcessFailed | ControlPlaneError> =>
  Effect.suspend(() => {
    const directory = mkdtempSync(join(tmpdir(), "soak-"))
    return Effect.tap(course(options, directory), (outcome) =>
      Effect.sync(() => {
        if (isSound(outcome)) rmSync(directory, { recursive: true, force: true })
      })
    )
  })
