import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as PatientClock from "../support/PatientClock.ts"
import { Expired, type Fault, Refused, reflected, refuse, ThingServer } from "./thingServer.ts"

const name = fc.constantFrom("a", "b", "c", "d", "e", "f")
const lose: Fault = (answer) => Effect.andThen(answer, Effect.fail(new Refused({ message: "answer lost" })))
const slow: Fault = (answer) => Effect.delay(answer, "20 seconds")
const fault = fc.constantFrom<Fault>(refuse("down"), refuse("busy", 5), lose, slow, () => Effect.die("a bug"))

const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("put" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("own" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), seconds: fc.integer({ min: 0, max: 90 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("fault" as const), what: fc.constantFrom("list", "watch"), fault })
  },
  fc.record({ do: fc.constantFrom("bookmark", "expire", "break", "breakExpired", "end", "deaf", "hearing") })
)

type Happening = typeof happening extends fc.Arbitrary<infer H> ? H : never

const play = (history: ReadonlyArray<Happening>) =>
  Effect.gen(function* () {
    const server = new ThingServer()
    for (const name of ["a", "b", "c"]) server.put(name, "0")
    const believed = new Set<string>()
    const { reflector } = yield* reflected(server, {
      pageSize: 2,
      relist: Duration.hours(1000),
      onChange: (key, change) => Effect.sync(() => (change === "applied" ? believed.add(key) : believed.delete(key)))
    })
    const happen = {
      bookmark: Effect.sync(() => server.bookmark()),
      expire: Effect.sync(() => server.expire()),
      break: server.break(new Refused({ message: "connection reset" })),
      breakExpired: server.break(new Expired({ message: "compacted" })),
      end: server.end,
      deaf: Effect.sync(() => (server.deaf = true)),
      hearing: Effect.sync(() => (server.deaf = false))
    }
    for (const [index, event] of history.entries()) {
      if (event.do === "put") server.put(event.name, String(index))
      else if (event.do === "own") yield* reflector.apply(server.put(event.name, `own ${index}`))
      else if (event.do === "remove") server.remove(event.name)
      else if (event.do === "pass") yield* TestClock.adjust(event.seconds * 1000)
      else if (event.do === "fault") server.order(event.what, event.fault)
      else yield* Effect.result(happen[event.do])
      yield* Effect.yieldNow
    }
    server.deaf = false
    yield* TestClock.adjust("15 minutes")
    const byName = (a: { readonly name: string }, b: { readonly name: string }) => a.name.localeCompare(b.name)
    assert.deepStrictEqual((yield* reflector.values).toSorted(byName), server.things.toSorted(byName))
    assert.deepStrictEqual([...believed].toSorted(), server.things.map((thing) => thing.name).toSorted())
  })

it("whatever happens to lists and watches, the copy and what was told come to agree with the server without a periodic list", () =>
  fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 60 }), (history) =>
      Effect.runPromise(play(history).pipe(Effect.scoped, Effect.provide(PatientClock.layer())))
    ),
    { numRuns: 200 }
  ))
