/** Who is let in to launch, who waits, and that no place is ever lost, whatever becomes of those who had one. */
import { assert, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer } from "effect"
import * as fc from "fast-check"
import type { Operation } from "../../src/domain/Job.ts"
import { Turnstile } from "../../src/reconcile/Turnstile.ts"

const make = (places: number) =>
  Effect.gen(function* () {
    const called: Array<string> = []
    const layer = Turnstile.layer({ places, call: (key) => Effect.sync(() => void called.push(key)) })
    const turnstile = Context.get(yield* Layer.build(layer), Turnstile)
    return {
      turnstile,
      called,
      /** A whole pass that wants to launch. Answers whether it was let in. */
      launch: (key: string, operation: Operation = "provision") =>
        turnstile.around(key, turnstile.enter(key, operation))
    }
  })

/** A pass that lasts until it is told how to end. */
const passing = Effect.fnUntraced(function* (turnstile: Turnstile["Service"], key: string) {
  const end = yield* Deferred.make<void, string>()
  const fiber = yield* Effect.forkChild(turnstile.around(key, Deferred.await(end)), { startImmediately: true })
  return {
    ends: (how: Ending) =>
      how === "interrupted"
        ? Fiber.interrupt(fiber)
        : Effect.andThen(Deferred.done(end, exits[how]), Effect.asVoid(Fiber.await(fiber)))
  }
})

const exits = { done: Exit.void, failed: Exit.fail("no"), died: Exit.die("a bug") } as const
type Ending = keyof typeof exits | "interrupted"
const endings = ["done", "failed", "died", "interrupted"] as const

it.effect("as many are let in as there are places, and the next is called when a launch is sent", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(2)
    assert.isTrue(yield* turnstile.enter("a", "provision"))
    assert.isTrue(yield* turnstile.enter("b", "provision"))
    assert.isFalse(yield* launch("c"))
    assert.isFalse(yield* launch("d"))
    assert.deepStrictEqual(called, [])
    yield* turnstile.leave("b")
    yield* turnstile.leave("b")
    assert.deepStrictEqual(called, ["c"])
    assert.isFalse(yield* launch("e"), "the place is kept for the one that was called")
    assert.isTrue(yield* turnstile.enter("c", "provision"))
    assert.isTrue(yield* turnstile.enter("c", "provision"), "a place is held through a whole pass")
  })
)

it.effect("looking again while in line costs nobody the turn, and one that is asked for the other job moves over", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("holder", "provision")
    for (const key of ["a", "b", "c"]) yield* launch(key)
    yield* launch("a")
    yield* launch("b", "deprovision")
    for (const key of ["holder", "b", "a"]) yield* turnstile.leave(key)
    assert.deepStrictEqual(called, ["b", "a", "c"])
  })
)

it.effect("provisions and deprovisions take turns, however many of one kind came first", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("holder", "provision")
    for (const key of ["p1", "p2", "p3", "p4"]) yield* launch(key)
    for (const key of ["d1", "d2"]) yield* launch(key, "deprovision")
    for (const key of ["holder", "d1", "p1", "d2", "p2", "p3"]) yield* turnstile.leave(key)
    assert.deepStrictEqual(called, ["d1", "p1", "d2", "p2", "p3", "p4"])
  })
)

for (const how of endings) {
  it.effect(`a pass that is ${how} gives its place to the next`, () =>
    Effect.gen(function* () {
      const { called, launch, turnstile } = yield* make(1)
      const pass = yield* passing(turnstile, "a")
      yield* turnstile.enter("a", "provision")
      yield* launch("b")
      yield* pass.ends(how)
      assert.deepStrictEqual(called, ["b"])
    })
  )
}

it.effect("whoever was called and launches nothing after all gives the place back", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("a", "provision")
    yield* launch("b")
    yield* launch("c")
    yield* turnstile.leave("a")
    yield* turnstile.around("b", Effect.void)
    assert.deepStrictEqual(called, ["b", "c"])
  })
)

it.effect("whoever no longer wants to launch leaves the line", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("a", "provision")
    yield* launch("b")
    yield* launch("c")
    yield* turnstile.around("b", Effect.void)
    yield* turnstile.leave("a")
    assert.deepStrictEqual(called, ["c"])
  })
)

it.effect("whoever is called before the pass ends in which it was told to wait keeps the place for the next pass", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("a", "provision")
    const pass = yield* passing(turnstile, "b")
    assert.isFalse(yield* turnstile.enter("b", "provision"))
    yield* turnstile.leave("a")
    yield* pass.ends("done")
    assert.deepStrictEqual(called, ["b"])
    assert.isFalse(yield* launch("c"))
    assert.isTrue(yield* launch("b"))
  })
)

// ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const key = fc.integer({ min: 0, max: 6 }).map((index) => `vm-${index}`)
const operation = fc.constantFrom<Operation>("provision", "deprovision")
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("enter" as const), key, operation }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("leave" as const), key }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("end" as const), key, how: fc.constantFrom(...endings) }) }
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

interface Waiting {
  readonly key: string
  readonly operation: Operation
}

/** What anybody can see from outside: who was let in or called and has not gone, and who waits, in which order. */
class Outside {
  readonly places: number
  readonly called: ReadonlyArray<string>
  readonly inside = new Set<string>()
  readonly told = new Set<string>()
  waiting: ReadonlyArray<Waiting> = []
  readonly #turns: Array<Operation> = []
  #heard = 0

  constructor(places: number, called: ReadonlyArray<string>) {
    this.places = places
    this.called = called
  }

  asked(one: Waiting, isIn: boolean): void {
    if (isIn) {
      assert.isTrue(this.inside.has(one.key) || this.inside.size < this.places, "let in where no place was free")
      this.inside.add(one.key)
      return
    }
    assert.isFalse(this.inside.has(one.key), "who has a place is not told to wait")
    this.told.add(one.key)
    const same = (other: Waiting) => other.key === one.key && other.operation === one.operation
    if (!this.waiting.some(same)) this.waiting = [...this.waiting.filter((other) => other.key !== one.key), one]
  }

  ended(gone: string): void {
    if (this.told.delete(gone)) return
    this.inside.delete(gone)
    this.waiting = this.waiting.filter((one) => one.key !== gone)
  }

  /** Takes in who was called, and holds it against the laws. */
  hear(): void {
    for (const name of this.called.slice(this.#heard)) {
      const one = this.waiting.find((other) => other.key === name)
      const first = this.waiting.find((other) => other.operation === one?.operation)
      assert.strictEqual(first?.key, name, "who is called waits, and the longest of those with the same wish")
      const others = this.waiting.some((other) => other.operation !== first?.operation)
      assert.isFalse(others && this.#turns.at(-1) === first?.operation, `two ${first?.operation}s in a row`)
      if (first !== undefined) this.#turns.push(first.operation)
      this.waiting = this.waiting.filter((other) => other.key !== name)
      this.inside.add(name)
    }
    this.#heard = this.called.length
    assert.isAtMost(this.inside.size, this.places)
    assert.isTrue(this.waiting.length === 0 || this.inside.size === this.places, "a place is free and somebody waits")
  }
}

const play = Effect.fnUntraced(function* (places: number, commands: ReadonlyArray<Command>) {
  const { called, launch, turnstile } = yield* make(places)
  const outside = new Outside(places, called)
  const passes = new Map<string, Effect.Success<ReturnType<typeof passing>>>()

  const end = Effect.fnUntraced(function* (name: string, how: Ending) {
    const pass = passes.get(name)
    if (pass === undefined) return
    passes.delete(name)
    yield* pass.ends(how)
    outside.ended(name)
    outside.hear()
  })

  for (const one of commands) {
    if (one.does === "end") yield* end(one.key, one.how)
    else if (one.does === "leave") {
      if (!passes.has(one.key)) continue
      yield* turnstile.leave(one.key)
      outside.inside.delete(one.key)
      outside.hear()
    } else {
      // a pass that was told to wait does nothing more
      if (outside.told.has(one.key)) continue
      if (!passes.has(one.key)) passes.set(one.key, yield* passing(turnstile, one.key))
      outside.asked(one, yield* turnstile.enter(one.key, one.operation))
      outside.hear()
    }
  }
  for (const name of [...passes.keys()]) yield* end(name, "done")
  return { outside, launch, turnstile }
})

const cases = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.array(command, { maxLength: 60 }))

it("whatever passes do: no place too many, none idle, each line in order, the kinds in turn, and none lost", () =>
  fc.assert(
    fc.asyncProperty(cases, ([places, commands]) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const { launch, outside, turnstile } = yield* play(places, commands)
          // everybody that was called comes, and so does everybody that is called then
          for (let passes = 0; outside.inside.size > 0; passes++) {
            assert.isBelow(passes, 20)
            const [name = ""] = outside.inside
            assert.isTrue(yield* launch(name))
            outside.ended(name)
            outside.hear()
          }
          assert.deepStrictEqual(outside.waiting, [])
          for (let n = 0; n < places; n++) assert.isTrue(yield* turnstile.enter(`fresh-${n}`, "provision"))
          assert.isFalse(yield* turnstile.enter("one-more", "provision"))
        }).pipe(Effect.scoped)
      )
    ),
    { numRuns: 300 }
  ))
