import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as Health from "../../../src/adapters/http/Health.ts"
import { freePort } from "../../support/ports.ts"

const well: Health.Signs = {
  synced: true,
  watching: Option.none(),
  election: Option.some({ leads: true, holder: "operator-0", problem: Option.none() }),
  provider: Option.none(),
  silence: { "the watch of ComputeInstances": 30_000, "the leader election": 3_000 }
}
const standby = { leads: false, holder: "operator-1", problem: Option.none() }

describe("readiness", () => {
  const cases: ReadonlyArray<readonly [string, Partial<Health.Signs>, boolean, string]> = [
    ["a leader is ready", {}, true, "leader"],
    ["a standby is ready, and says for whom", { election: Option.some(standby) }, true, "standby; operator-1 leads"],
    ["a replica without an election is ready", { election: Option.none() }, true, "working; there is no election"],
    [
      "who does not know the world yet is not, and says what is in the way",
      { synced: false, watching: Option.some("list: ECONNREFUSED") },
      false,
      "the first list of ComputeInstances is not complete: list: ECONNREFUSED\nleader"
    ],
    [
      "who cannot take part in the election is not, and says why",
      { election: Option.some({ ...standby, problem: Option.some("get lease: Forbidden") }) },
      false,
      "the leader election does not work: get lease: Forbidden"
    ],
    [
      "a leader whose renewals fail is ready for as long as it leads",
      { election: Option.some({ ...standby, leads: true, problem: Option.some("no answer") }) },
      true,
      "leader: no answer"
    ],
    [
      "an API server that is away later on is said, and changes nothing",
      { watching: Option.some("watch: ECONNRESET") },
      true,
      "leader\nwatching: watch: ECONNRESET"
    ],
    [
      "a provider that is away is said, and changes nothing",
      { provider: Option.some("ProviderUnreachable: AAP cannot be reached") },
      true,
      "leader\nprovider: ProviderUnreachable: AAP cannot be reached"
    ]
  ]
  for (const [name, signs, isWell, words] of cases) {
    it(name, () => assert.deepStrictEqual(Health.ready({ ...well, ...signs }), { well: isWell, words }))
  }
})

describe("liveness", () => {
  it("holds while every loop gives signs, whatever the API server and the provider do", () => {
    const away = { ...well, synced: false, watching: Option.some("ECONNREFUSED"), provider: Option.some("401") }
    assert.deepStrictEqual(Health.alive(away), { well: true, words: "ok" })
  })

  it("ends when a loop hangs, and says which", () => {
    const { well: isWell, words } = Health.alive({
      ...well,
      silence: { ...well.silence, "the leader election": 301_000 }
    })
    assert.isFalse(isWell)
    assert.strictEqual(words, "the leader election has shown no sign of life for 301 s")
  })
})

it.live("the kubelet gets a status, and people the words", () =>
  Effect.gen(function* () {
    const port = yield* freePort
    let signs: Health.Signs = well
    yield* Layer.build(
      Health.layer(
        port,
        Effect.sync(() => signs)
      )
    )
    const get = (path: string) =>
      Effect.promise(async () => {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`)
        return [answer.status, await answer.text()] as const
      })
    assert.deepStrictEqual(yield* get("/livez"), [200, "ok\n"])
    assert.deepStrictEqual(yield* get("/healthz"), [200, "ok\n"])
    assert.deepStrictEqual(yield* get("/readyz"), [200, "leader\n"])
    signs = { ...well, synced: false, silence: { "the watch": 400_000 } }
    assert.deepStrictEqual(yield* get("/livez"), [503, "the watch has shown no sign of life for 400 s\n"])
    assert.strictEqual((yield* get("/readyz"))[0], 503)
  }).pipe(Effect.scoped)
)
