/** An AAP that is away for an hour while a thousand jobs run: nothing fails, nothing hammers, nothing bursts. */
import { assert } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, isPoll, isWrite } from "../support/expectations.ts"
import { life } from "../support/life.ts"
import { makeUser } from "../support/User.ts"
import { text } from "../support/Wire.ts"
import { makeWorld, settled, type World } from "../support/World.ts"

const MANY = 1_000
const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const long = { pendingFor: Duration.seconds(2), runningFor: Duration.minutes(50), ends: "successful" } as const
const badGateway = text(502, "<html><title>502 Bad Gateway</title></html>", "text/html")
/** 30 s doubling to 5 min, a fifth either way. */
const PROBES_AN_HOUR = 20

const phases = (world: World) =>
  Effect.map(world.kubernetes.objects, (objects) => [
    ...new Set(objects.map((object) => String(at(object, "status", "phase"))))
  ])

life(
  `an hour without AAP fails none of ${MANY} live jobs, costs a capped rate of probes, and ends without a burst`,
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => long)
      yield* world.start
      const user = makeUser(world.kubernetes.handler, "https://kubernetes.test")
      const names = Array.from({ length: MANY }, (_, n) => `vm-${n}`)
      for (let from = 0; from < MANY; from += 100) {
        const some = names.slice(from, from + 100)
        yield* settled(Effect.forEach(some, (name) => user.create(name, spec), { discard: true }))
      }
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* world.aap.ledger).length, MANY)
      yield* world.aapWire.order({ when: () => true, harm: { _tag: "Answer", response: badGateway }, times: 1_000_000 })
      yield* world.aapWire.forget
      yield* world.kubernetesWire.forget
      // the jobs end meanwhile, unseen
      yield* TestClock.adjust("1 hour")
      assert.isAtMost((yield* world.aapWire.exchanges).length, PROBES_AN_HOUR)
      assert.deepStrictEqual(yield* phases(world), ["Progressing"])
      assert.isAtMost(yield* world.kubernetesWire.count(isWrite), MANY, "each object is told once")

      yield* world.aapWire.heal
      yield* world.aapWire.forget
      yield* TestClock.adjust("6 minutes")
      assert.deepStrictEqual(yield* phases(world), ["Ready"])
      // one job to see whether AAP is back, two hundred a request to see all of them, and no launch
      assert.isAtMost(yield* world.aapWire.count(isPoll), 6)
      assert.strictEqual((yield* world.aapWire.exchanges).length, yield* world.aapWire.count(isPoll))
      assert.strictEqual((yield* world.aap.ledger).length, MANY)
      yield* assertNoOverlap(world)
    })
)
