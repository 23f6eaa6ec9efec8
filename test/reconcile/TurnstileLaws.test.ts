/** What holds of the turnstile whatever passes do, in whatever order. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import type { Operation } from "../../src/domain/Job.ts"
import { type Ending, endings, make, passing, steppingAside } from "./turnstile.ts"

const key = fc.integer({ min: 0, max: 6 }).map((index) => `vm-${index}`)
const operation = fc.constantFrom<Operation>("provision", "deprovision")
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("enter" as const), key, operation }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("leave" as const), key }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("stepAside" as const), key }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("comeBack" as const), key }) },
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
  readonly aside = new Set<string>()
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

  /** Whoever has no place, and whoever is one too many of them, stays where it is. */
  stepped(name: string): void {
    if (this.aside.size >= Math.max(1, Math.floor(this.places / 2)) || !this.inside.delete(name)) return
    this.aside.add(name)
  }

  cameBack(name: string): void {
    if (this.aside.delete(name)) this.inside.add(name)
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
    assert.isAtMost(this.inside.size + this.aside.size, this.places + Math.max(1, Math.floor(this.places / 2)))
    assert.isTrue(this.waiting.length === 0 || this.inside.size >= this.places, "a place is free and somebody waits")
  }
}

const play = Effect.fnUntraced(function* (places: number, commands: ReadonlyArray<Command>) {
  const { called, launch, turnstile } = yield* make(places)
  const outside = new Outside(places, called)
  const passes = new Map<string, Effect.Success<ReturnType<typeof passing>>>()

  const asides = new Map<string, Effect.Success<ReturnType<typeof steppingAside>>>()

  const comeBack = Effect.fnUntraced(function* (name: string) {
    yield* asides.get(name)?.comesBack ?? Effect.void
    asides.delete(name)
    outside.cameBack(name)
    outside.hear()
  })

  const end = Effect.fnUntraced(function* (name: string, how: Ending) {
    const pass = passes.get(name)
    if (pass === undefined) return
    passes.delete(name)
    yield* comeBack(name)
    yield* pass.ends(how)
    outside.ended(name)
    outside.hear()
  })

  for (const one of commands) {
    if (one.does === "end") yield* end(one.key, one.how)
    else if (one.does === "leave") {
      if (!passes.has(one.key) || asides.has(one.key)) continue
      yield* turnstile.leave(one.key)
      outside.inside.delete(one.key)
      outside.hear()
    } else if (one.does === "comeBack") yield* comeBack(one.key)
    else {
      // a pass that was told to wait does nothing more, and one that does something aside nothing else
      if (outside.told.has(one.key) || asides.has(one.key)) continue
      if (one.does === "stepAside") {
        if (!passes.has(one.key)) continue
        outside.stepped(one.key)
        asides.set(one.key, yield* steppingAside(turnstile, one.key))
        outside.hear()
        continue
      }
      if (!passes.has(one.key)) passes.set(one.key, yield* passing(turnstile, one.key))
      outside.asked(one, yield* turnstile.enter(one.key, one.operation))
      outside.hear()
    }
  }
  for (const name of [...passes.keys()]) yield* end(name, "done")
  return { outside, launch, turnstile }
})

const cases = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.array(command, { maxLength: 60, size: "max" }))

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
