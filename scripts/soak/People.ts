/**
 * Those who order machines, change them, ask once more where something failed, and delete them: many at a time, each life one
 * after the other, from create to gone. What they asked for is remembered, as nothing else may be launched.
 */
import { Deferred, Effect, Schedule, type Scope } from "effect"
import { condition } from "../../test/support/expectations.ts"
import { at, type Json, type JsonObject, numberAt, stringAt } from "../../test/support/kubernetes/Json.ts"
import { RETRY } from "../../test/support/schedulesCommands.ts"
import { makeUser } from "../../test/support/User.ts"
import type { Chance } from "./Chance.ts"
import { NAMESPACE, type Site } from "./Site.ts"

/** How many jobs of each operation an object may have at most. */
export interface Asked {
  provisions: number
  deprovisions: number
}

export interface People {
  /** Lives that came to their end. */
  readonly completed: () => number
  /** Those under way, and those of them that wait to be deleted. */
  readonly alive: () => number
  readonly waiting: () => number
  /** No new lives; whoever is not being deleted yet comes to rest and waits. */
  readonly stop: Effect.Effect<void>
  /** Those who wait are deleted. */
  readonly finish: Effect.Effect<void>
  /** By name. */
  readonly asked: ReadonlyMap<string, Asked>
}

const LOOK = "100 millis"

const isDeleting = (object: Json) => at(object, "metadata", "deletionTimestamp") !== undefined
const isStalled = (object: Json) => condition(object, "Stalled")?.status === "True"
const isObserved = (object: Json) =>
  numberAt(object, "status", "observedGeneration") === numberAt(object, "metadata", "generation")
const isReady = (object: Json) => condition(object, "Ready")?.status === "True"
export const isSettledNow = (object: Json): boolean => isObserved(object) && (isReady(object) || isStalled(object))
const newestJob = (object: Json) =>
  JSON.stringify(at(object, "status", "jobs") ?? [])
    .match(/"jobID":"[^"]*"/gu)
    ?.at(-1)

/** The objects as they were a moment ago, by name. */
const makeNews = (site: Site) =>
  Effect.gen(function* () {
    let news = new Map<string, JsonObject>()
    const look = Effect.map(site.objects, (objects) => {
      news = new Map(objects.map((object) => [stringAt(object, "metadata", "name") ?? "", object]))
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(LOOK)))
    return (name: string) => news.get(name)
  })

interface Stage {
  readonly site: Site
  readonly chance: Chance
  readonly news: (name: string) => JsonObject | undefined
  readonly asked: Map<string, Asked>
  /** Before an object is deleted. */
  readonly gate: (name: string) => Effect.Effect<void>
}

/** One life. */
const live = Effect.fnUntraced(function* ({ asked, chance, gate, news, site }: Stage, name: string) {
  const user = makeUser(site.cluster, "http://kubernetes", NAMESPACE)
  const wanted: Asked = { provisions: 1, deprovisions: 1 }
  asked.set(name, wanted)
  let answered: string | undefined
  /** Asks once more, once for every end that asks for a person. */
  const retry = Effect.fnUntraced(function* (object: JsonObject) {
    const newest = newestJob(object)
    if (!isStalled(object) || !isObserved(object) || newest === answered) return
    answered = newest
    if (isDeleting(object)) wanted.deprovisions += 1
    else wanted.provisions += 1
    yield* user.annotate(name, { [RETRY]: `after ${newest}` })
  })
  const settled = Effect.suspend(() => {
    const object = news(name)
    return Effect.succeed(object !== undefined && isSettledNow(object))
  }).pipe(Effect.repeat({ schedule: Schedule.spaced(LOOK), until: (isSettled) => isSettled }))
  const resize = (vcpu: number) =>
    Effect.suspend(() => {
      wanted.provisions += 1
      return user.patch(name, { spec: { vcpu } })
    })

  yield* user.create(name, { name, vcpu: 1, memory: 1024, disk: 10 })
  if (chance.happens(0.25)) yield* Effect.sleep(chance.between(0, 4_000))
  else {
    yield* settled
    if (chance.happens(0.25)) {
      yield* resize(2)
      // the answer is not in the news at once
      yield* Effect.sleep(chance.between(300, 2_000))
      if (chance.happens(0.3)) yield* resize(3)
      yield* Effect.sleep("300 millis")
      yield* settled
    }
    const object = news(name)
    if (object !== undefined && chance.happens(0.5)) {
      yield* retry(object)
      yield* Effect.sleep("300 millis")
      yield* settled
    }
  }
  yield* gate(name)
  yield* user.remove(name)
  yield* Effect.sleep("300 millis")
  while (news(name) !== undefined) {
    const object = news(name)
    if (object !== undefined && isDeleting(object)) yield* retry(object)
    yield* Effect.sleep(LOOK)
  }
})

/** `crowd` lives at a time. */
export const makePeople = (site: Site, chance: Chance, crowd: number): Effect.Effect<People, never, Scope.Scope> =>
  Effect.gen(function* () {
    const news = yield* makeNews(site)
    const asked = new Map<string, Asked>()
    const opened = yield* Deferred.make<void>()
    const waiting = new Set<string>()
    let completed = 0
    let alive = 0
    let begun = 0
    let isOver = false

    const gate = (name: string) =>
      Effect.suspend(() => {
        if (!isOver) return Effect.void
        waiting.add(name)
        return Effect.tap(Deferred.await(opened), () => Effect.sync(() => waiting.delete(name)))
      })
    const one = Effect.gen(function* () {
      yield* Effect.sleep(chance.between(0, 1_000))
      if (isOver) return
      begun += 1
      alive += 1
      yield* live({ site, chance, news, asked, gate }, `vm-${String(begun).padStart(5, "0")}`)
      alive -= 1
      completed += 1
    })
    for (let n = 0; n < crowd; n++) {
      yield* Effect.forkScoped(Effect.repeat(one, { until: () => isOver }))
    }
    return {
      completed: () => completed,
      alive: () => alive,
      waiting: () => waiting.size,
      stop: Effect.sync(() => {
        isOver = true
      }),
      finish: Effect.asVoid(Deferred.succeed(opened, undefined)),
      asked
    }
  })
