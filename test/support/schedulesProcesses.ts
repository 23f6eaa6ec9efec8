/**
 * The processes of the operator in a schedule: started, stopped, killed, and dying at a request of theirs, before it leaves
 * or when its answer is on the way. Two may work beside each other, neither knowing of the other.
 */
import { Clock, Effect, Queue, type Scope } from "effect"
import type { Configuration, Crash } from "./schedules.ts"
import type { WireHandler, WireRequest } from "./Wire.ts"
import { type Process, type ProviderNames, settled, type World } from "./World.ts"

/** More requests at one instant than any sound course of events makes. */
const TOO_MANY = 400

const providersOf: Readonly<Record<Configuration, ProviderNames>> = {
  aap: ["aap"],
  eda: ["eda"],
  "aap+eda": ["aap", "eda"],
  "eda+aap": ["eda", "aap"]
}

interface Member {
  process: Process | undefined
  doomed: boolean
}

interface Armed {
  readonly at: (request: WireRequest) => boolean
  readonly after: boolean
}

/** Counts requests, and stops whoever makes too many at one instant. */
const makeMeter = () => {
  let requests = 0
  let instant = -1
  let atOnce = 0
  let racing: string | undefined
  return {
    requests: () => requests,
    allows: ({ method, url }: WireRequest, now: number): boolean => {
      requests += 1
      atOnce = now === instant ? atOnce + 1 : 1
      instant = now
      if (atOnce > TOO_MANY) racing = `more than ${TOO_MANY} requests at one instant: ${method} ${url.pathname}`
      return atOnce <= TOO_MANY
    },
    /** What was asked too often. */
    racing: () => racing
  }
}

/** Who dies at which request. */
const makeFates = (planned: ReadonlyArray<Crash>) => {
  let crashes = new Map(planned.map(({ after, request }) => [request, after]))
  let armed: Armed | undefined
  let deaths = 0
  return {
    /** What becomes of whoever makes this request, the nth of all: undefined, it goes on. */
    of: (request: WireRequest, nth: number): { readonly after: boolean; readonly returns: boolean } | undefined => {
      const after = crashes.get(nth)
      const fated = after === undefined ? undefined : { after, returns: true }
      if (fated === undefined && (armed === undefined || !armed.at(request))) return undefined
      deaths += 1
      if (fated !== undefined) return fated
      const waiting = { after: armed?.after === true, returns: false }
      armed = undefined
      return waiting
    },
    arm: (crash: Armed) => {
      armed = crash
    },
    /** No more deaths. */
    spare: () => {
      armed = undefined
      crashes = new Map()
    },
    deaths: () => deaths
  }
}

/** Those that run. */
const makeMembers = () => {
  const members: Array<Member> = []
  const kill = (member: Member) =>
    Effect.suspend(() => {
      member.doomed = true
      if (members.includes(member)) members.splice(members.indexOf(member), 1)
      return member.process?.kill ?? Effect.void
    })
  return {
    all: members,
    kill,
    killAll: Effect.suspend(() => Effect.forEach([...members], kill, { discard: true })),
    killFirst: Effect.suspend(() => (members[0] === undefined ? Effect.void : kill(members[0]))),
    /** As on SIGTERM: the process drains while the world goes on. */
    stop: Effect.suspend(() => {
      const process = members.shift()?.process
      return process === undefined ? Effect.void : Effect.asVoid(settled(Effect.forkScoped(process.stop)))
    })
  }
}

export const makeProcesses = Effect.fnUntraced(function* (configured: Configuration, planned: ReadonlyArray<Crash>) {
  const dead = yield* Queue.unbounded<undefined>()
  const members = makeMembers()
  const fates = makeFates(planned)
  const meter = makeMeter()
  let configuration = configured
  let skew = 0

  const start = Effect.fnUntraced(function* (world: World, most = 2): Effect.fn.Return<void, never, Scope.Scope> {
    if (members.all.length >= most) return
    const clock = yield* Clock.Clock
    const member: Member = { process: undefined, doomed: false }

    const wire =
      (inner: WireHandler): WireHandler =>
      (request) =>
        Effect.suspend(() => {
          if (member.doomed || !meter.allows(request, clock.currentTimeMillisUnsafe())) return Effect.never
          const fated = fates.of(request, meter.requests())
          if (fated === undefined) return inner(request)
          return Effect.gen(function* () {
            if (fated.after) yield* Effect.ignore(inner(request))
            if (fated.returns) yield* Queue.offer(dead, undefined)
            yield* members.kill(member)
            return yield* Effect.never
          })
        }).pipe(Effect.provideService(Clock.Clock, clock))

    members.all.push(member)
    const place = {
      get skew() {
        return skew
      },
      wire
    }
    member.process = yield* world.startAt(place, providersOf[configuration])
    // the end may have come with the first requests
    if (member.doomed) yield* member.process.kill
  })

  return {
    ...members,
    ...fates,
    start,
    /** Those who died come back after a while. Not of their own doing: what the dead were in the midst of is not inherited. */
    resurrect: (world: World) =>
      Effect.forkScoped(
        Effect.forever(
          Effect.andThen(
            Queue.take(dead),
            Effect.forkScoped(Effect.andThen(Effect.sleep("2 seconds"), start(world, 1)))
          )
        )
      ),
    switchTo: (to: Configuration) =>
      Effect.andThen(
        Effect.andThen(members.stop, members.stop),
        Effect.sync(() => {
          configuration = to
        })
      ),
    setSkew: (seconds: number) => {
      skew = seconds * 1_000
    },
    requests: meter.requests,
    racing: meter.racing
  }
})
export type Processes = Effect.Success<ReturnType<typeof makeProcesses>>
