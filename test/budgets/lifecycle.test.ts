/**
 * What the operator may cost, counted in virtual time. Who changes the counts for the worse changes them here, and says why
 * in docs/performance.md.
 */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { isLaunch, isLiveGet, isPoll, isWrite } from "../support/expectations.ts"
import { makeWorld } from "../support/World.ts"

const spec = (name: string) => ({ name, vcpu: 2, memory: 4096, disk: 40 })
const namesOf = (count: number) => Array.from({ length: count }, (_, n) => `vm-${n}`)

/** As long as a job of the system this is built for: seen pending, seen running. */
const usual = { pendingFor: Duration.seconds(40), runningFor: Duration.seconds(131), ends: "successful" } as const

it.effect(
  "lifecycles cost eight writes each, no live read, two launches each and one poll a tick for all of them",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => usual)
      yield* world.start
      const names = namesOf(200)
      yield* Effect.forEach(names, (name) => world.user.create(name, spec(name)))
      yield* TestClock.adjust("5 minutes")
      yield* Effect.forEach(names, (name) => world.user.remove(name))
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* world.kubernetes.objects, [])
      assert.isAtMost((yield* world.kubernetesWire.count(isWrite)) / names.length, 8)
      assert.strictEqual(yield* world.kubernetesWire.count(isLiveGet), 0)
      assert.strictEqual(yield* world.aapWire.count(isLaunch), 2 * names.length)
      // two templates, each looked up and checked once
      const others = yield* world.aapWire.count((exchange) => !isLaunch(exchange) && !isPoll(exchange))
      assert.isAtMost(others, 4)
      // 171 s and one interval more, twice
      assert.isAtMost(yield* world.aapWire.count(isPoll), 2 * 8)
      assert.isAtMost((yield* world.aapWire.exchanges).length / names.length, 2.2)
    })
)
