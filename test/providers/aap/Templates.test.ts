/** Which template a name stands for, and when it must not be launched. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { parse, print } from "../../../src/providers/aap/Templates.ts"
import { json, text } from "../../support/Wire.ts"
import { AAP, adminToken, count, isLaunch, isLookUp, launch, makeRig, PROVISION } from "./Rig.ts"

const isPreflight = (request: { readonly method: string; readonly url: URL }) =>
  request.method === "GET" && request.url.pathname.endsWith("/launch/")

const prepared = (rig: Effect.Success<ReturnType<typeof makeRig>>) =>
  Effect.map(Effect.scoped(rig.provider.prepare("provision")), ({ template }) => template)

describe("the template of a launch", () => {
  it.effect("is found by name, checked, and launched by number", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const [kind, id, name] = (yield* prepared(rig)).split("/")
      assert.deepStrictEqual([kind, name], ["job_template", PROVISION])
      yield* launch(rig.provider, 1)
      const posts = (yield* rig.wire.exchanges).filter(({ method }) => method === "POST")
      assert.deepStrictEqual(
        posts.map(({ path }) => path),
        [`/api/v2/job_templates/${id}/launch/`]
      )
    })
  )

  it.effect("is looked up once by 200 waiters, and not again for five minutes", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const fibers = yield* Effect.forEach(Array.from({ length: 200 }), () => Effect.forkChild(prepared(rig)))
      yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(yield* count(rig.wire, isLookUp), 1)
      assert.strictEqual(yield* count(rig.wire, isPreflight), 1)
      yield* TestClock.adjust("4 minutes")
      yield* prepared(rig)
      assert.strictEqual(yield* count(rig.wire, isLookUp), 1)
      yield* TestClock.adjust("1 minute")
      yield* prepared(rig)
      assert.strictEqual(yield* count(rig.wire, isLookUp), 2)
    })
  )

  it.effect("may be a workflow template", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({
        aap: { templates: [{ name: PROVISION, kind: "workflow_job_template", id: 14 }] },
        settings: { token: Effect.succeed(adminToken) }
      })
      assert.strictEqual(yield* prepared(rig), `workflow_job_template/14/${PROVISION}`)
      const job = yield* launch(rig.provider, 1)
      assert.strictEqual(job.kind, "workflow_job")
      assert.strictEqual((yield* rig.aap.ledger)[0]?.kind, "workflow_job")
    })
  )

  it("survives being written into an intent, slashes in its name included", () => {
    const template = { kind: "workflow_job_template", id: 14, name: "osac/v2/create" } as const
    assert.deepStrictEqual(parse(print(template)), { id: 14, name: "osac/v2/create" })
    assert.deepStrictEqual(parse("a/b"), { id: undefined, name: "a/b" })
  })

  it.effect("is looked up again after a launch that AAP answered with 404", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* prepared(rig)
      yield* rig.aap.removeTemplate(PROVISION)
      const error = yield* Effect.flip(launch(rig.provider, 1))
      assert.strictEqual(error.reason, "TemplateNotFound")
      assert.strictEqual(error.applied, "no")
      const id = yield* rig.aap.addTemplate({ name: PROVISION })
      yield* rig.aap.setUserRoles("operator", [{ role: "execute", template: id }])
      assert.strictEqual((yield* launch(rig.provider, 1)).state, "Pending")
      assert.strictEqual(yield* count(rig.wire, isLookUp), 2)
    })
  )
})

describe("a launch is refused before it is sent", () => {
  const refusal = (rig: Effect.Success<ReturnType<typeof makeRig>>) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(prepared(rig))
      assert.strictEqual(error.applied, "no")
      assert.strictEqual(yield* count(rig.wire, isLaunch), 0)
      return `${error.reason}: ${error.message}`
    })

  it.effect("when AAP has no template of that name", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({ aap: { templates: [{ name: PROVISION.toUpperCase() }] } })
      assert.match(yield* refusal(rig), /^TemplateNotFound: Template 'osac-create-compute-instance' not found: /u)
    })
  )

  it.effect("when the name stands for several templates, with the list of them", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({
        aap: {
          organizations: ["Default", "lab"],
          templates: [
            { name: PROVISION, id: 7 },
            { name: PROVISION, id: 8, organization: "lab" },
            { name: PROVISION, id: 9, kind: "workflow_job_template" }
          ]
        },
        settings: { token: Effect.succeed(adminToken) }
      })
      assert.strictEqual(
        yield* refusal(rig),
        "TemplateAmbiguous: Template 'osac-create-compute-instance' is ambiguous: job template 7 in organization 'Default', job template 8 in organization 'lab', workflow job template 9 in organization 'Default'; set CLOUDKIT_AAP_ORGANIZATION or rename one"
      )
    })
  )

  it.effect("unless the organization decides; one without the template is told where it is", () =>
    Effect.gen(function* () {
      const aap = {
        organizations: ["Default", "lab"],
        templates: [
          { name: PROVISION, id: 7 },
          { name: PROVISION, id: 8, organization: "lab" }
        ]
      }
      const token = Effect.succeed(adminToken)
      const lab = yield* makeRig({ aap, settings: { token, organization: Option.some("lab") } })
      assert.strictEqual(yield* prepared(lab), `job_template/8/${PROVISION}`)
      const other = yield* makeRig({ aap, settings: { token, organization: Option.some("prod") } })
      assert.match(
        yield* refusal(other),
        /^TemplateNotFound: .*not found in organization 'prod'.*\(there is job template 7 in organization 'Default', /u
      )
    })
  )
})

describe("a launch is refused by the preflight", () => {
  it.effect("when the template does not prompt for variables", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({
        aap: { templates: [{ name: PROVISION, asks: [] }] },
        settings: { token: Effect.succeed(adminToken) }
      })
      const error = yield* Effect.flip(prepared(rig))
      assert.strictEqual(error.reason, "TemplateRefusesVariables")
      assert.include(error.message, "'Prompt on launch'")
      assert.deepStrictEqual(yield* rig.aap.ledger, [])
    })
  )

  it.effect("when the token's user may not launch it, naming the role", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.setUserRoles("operator", [{ role: "read", template: PROVISION }])
      const error = yield* Effect.flip(prepared(rig))
      assert.strictEqual(error.reason, "PermissionDenied")
      assert.match(error.message, /403 Forbidden.*execute/u)
    })
  )

  it.effect("when the token is revoked, and goes on by itself once there is a valid one", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.revokeToken("operator-token")
      const error = yield* Effect.flip(prepared(rig))
      assert.strictEqual(error.reason, "CredentialsRejected")
      assert.include(error.message, "401 Unauthorized")
      yield* rig.aap.issueToken("operator", "operator-token")
      yield* TestClock.adjust(Math.ceil((yield* Effect.flip(prepared(rig))).retryAfter ?? 0))
      assert.include(yield* prepared(rig), PROVISION)
    })
  )

  it.effect("when something else answers in AAP's place", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const page = text(404, "<html><title>Not Found</title></html>", "text/html")
      yield* rig.wire.order({ when: isLookUp, harm: { _tag: "Answer", response: page } })
      const error = yield* Effect.flip(prepared(rig))
      assert.strictEqual(error.reason, "ProviderMisaddressed")
      assert.include(error.message, "HTML")
      assert.include(error.message, "CLOUDKIT_AAP_URL")
    })
  )
})

describe("patience that AAP asks for", () => {
  it.effect("is granted before the next probe, by everybody", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const busy = json(503, { detail: "Busy." }, { "retry-after": "120" })
      yield* rig.wire.order({ when: isLookUp, harm: { _tag: "Answer", response: busy } })
      assert.strictEqual((yield* Effect.flip(prepared(rig))).reason, "ProviderOverloaded")
      yield* TestClock.adjust("119 seconds")
      yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.flip(prepared(rig)))
      assert.strictEqual(yield* count(rig.wire, isLookUp), 1)
      yield* TestClock.adjust("2 seconds")
      assert.include(yield* prepared(rig), PROVISION)
      assert.strictEqual(yield* count(rig.wire, (request) => request.url.origin === AAP), 3)
    })
  )
})

describe("the look at the start", () => {
  it.effect("asks for both templates in one request without an effect", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.provider.check ?? Effect.die("AAP can be asked")
      assert.strictEqual(yield* count(rig.wire, () => true), 1)
    })
  )

  it.effect("misses a template by the name that AAP does not have", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({ aap: { templates: [{ name: PROVISION }] } })
      const error = yield* Effect.flip(rig.provider.check ?? Effect.die("AAP can be asked"))
      assert.strictEqual(error.reason, "TemplateNotFound")
      assert.include(error.message, "osac-delete-compute-instance")
      assert.strictEqual(yield* count(rig.wire, () => true), 1)
    })
  )
})
