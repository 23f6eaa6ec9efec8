/** What a search makes of rows that cannot be read as AAP promises them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { FoundJob } from "../../../src/ports/ProvisioningProvider.ts"
import { json } from "../../support/Wire.ts"
import { orderOf, providerOver, uidOf } from "./Rig.ts"

const EPOCH = "1970-01-01T00:00:00.000Z"

const carrying = (n: number) => ({ ansible_eda: { event: { meta: { uuid: orderOf(n).key } } } })
const row = (more: Readonly<Record<string, unknown>> = {}) => ({
  id: 17,
  type: "job",
  status: "running",
  launch_type: "manual",
  extra_vars: "{}",
  ...more
})

/** The search for an object's launches where AAP lists these rows, and behind them one of object 1 as it should be. */
const search = (n: number, ...rows: ReadonlyArray<unknown>) =>
  Effect.gen(function* () {
    const ours = row({ id: 99, extra_vars: JSON.stringify(carrying(1)) })
    const provider = yield* providerOver(() => Effect.succeed(json(200, { results: [...rows, ours], next: null })))
    const find = provider.find ?? (() => Effect.die(new Error("AAP can search")))
    return yield* find({ template: "x", uid: uidOf(n), since: EPOCH })
  })

/** What such a search says is wrong. */
const complaint = (...args: Parameters<typeof search>) =>
  Effect.match(search(...args), {
    onFailure: ({ message }) => message,
    onSuccess: (found) => `nothing: it found ${ids(found).join(", ")}`
  })

const ids = (found: ReadonlyArray<FoundJob>) => found.map(({ id }) => id)

describe("a row that cannot be the launch that is looked for is passed over:", () => {
  const others: ReadonlyArray<readonly [string, unknown]> = [
    ["a strange type, without a key", row({ type: 7 })],
    ["a type that nobody knows, without variables", row({ type: "playbook_v2", extra_vars: undefined })],
    ["no id, without a key", row({ id: "seventeen" })],
    ["no status, without a key", row({ status: null })],
    ["variables that are YAML", row({ extra_vars: "---\nname: vm-1\n" })],
    ["variables that are no text", row({ extra_vars: 7 })],
    ["variables of which one is hidden", row({ extra_vars: '{"password":"$encrypted$"}' })],
    ["no variables, as a project update has none", row({ type: "project_update", extra_vars: undefined })],
    ["a strange type, started by a workflow", row({ type: 7, launch_type: "workflow", extra_vars: carrying(1) })],
    ["a strange type, under another object's key", row({ type: 7, extra_vars: carrying(2) })]
  ]
  for (const [name, strange] of others) {
    it.effect(name, () => Effect.map(search(1, strange), (found) => assert.deepStrictEqual(ids(found), ["99"])))
  }
})

describe("a row that carries the key of the launch that is looked for", () => {
  it.effect("is found whatever its status", () =>
    Effect.gen(function* () {
      const variables = JSON.stringify(carrying(1))
      const found = yield* search(
        1,
        row({ id: 1, status: "levitating", extra_vars: variables }),
        row({ id: 2, status: 7, extra_vars: variables }),
        row({ id: 3, status: undefined, extra_vars: variables })
      )
      assert.deepStrictEqual(
        found.map(({ id, state, detail }) => [id, state, detail]),
        [
          ["1", "Unknown", "levitating"],
          ["2", "Unknown", "unreadable status"],
          ["3", "Unknown", "unreadable status"],
          ["99", "Running", ""]
        ]
      )
    })
  )

  it.effect("is found where AAP gives its variables as an object instead of as text", () =>
    Effect.map(search(1, row({ extra_vars: carrying(1) })), (found) => assert.deepStrictEqual(ids(found), ["17", "99"]))
  )

  it.effect("and cannot be followed stops the search, names the job, and says what to do", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* complaint(1, row({ type: "playbook_v2", extra_vars: carrying(1) })),
        `Job 17 carries the launch key ${orderOf(1).key} and is of a type that is not known (playbook_v2): look at it in AAP; then either name the job to follow by the annotation cloudkit.openshift.io/adopt-job, or cancel that job and delete it in AAP`
      )
      const nameless = yield* complaint(1, row({ id: null, extra_vars: carrying(1) }))
      assert.include(nameless, `A job whose id cannot be read carries the launch key ${orderOf(1).key}`)
    })
  )
})

describe("a row that may be anybody's launch", () => {
  it.effect("because it does not show its variables stops every search, names the job, and says what to do", () =>
    Effect.gen(function* () {
      for (const type of ["job", "workflow_job", undefined]) {
        const said = yield* complaint(3, row({ type, extra_vars: undefined }))
        assert.match(said, /^Job 17 is listed by AAP without its variables, .*adopt-job.*delete it in AAP$/u)
      }
    })
  )

  it.effect("because its variables are hidden as a whole stops every search, names the job, and says what to do", () =>
    Effect.gen(function* () {
      for (const hidden of ["$encrypted$", '"$encrypted$"', '["$encrypted$"]', "---\nansible_eda: $encrypted$\n"]) {
        const said = yield* complaint(3, row({ extra_vars: hidden }))
        assert.match(said, /^Job 17 is listed by AAP without its variables, .*adopt-job.*delete it in AAP$/u, hidden)
      }
      assert.match(yield* complaint(1, row({ extra_vars: "$encrypted$", launch_type: "workflow" })), /^nothing/u)
    })
  )

  it.effect("because it is no object at all stops every search", () =>
    Effect.gen(function* () {
      assert.match(yield* complaint(1, "row"), /^AAP lists something that is no job, .*CLOUDKIT_AAP_URL$/u)
    })
  )
})
