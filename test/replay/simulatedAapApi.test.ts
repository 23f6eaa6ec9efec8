/** The API of the simulated AAP where the recordings are silent: prefixes, filters, templates, tokens. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Aap from "../support/SimulatedAap.ts"
import { ask, at, ids, rows } from "./asking.ts"

const launch = (aap: Aap.SimulatedAap, body: unknown = {}, token?: string) =>
  ask(aap, "POST job_templates/7/launch/", body, token)

const several = (aap: Aap.SimulatedAap, count: number) =>
  Effect.forEach(Array.from({ length: count }), () => launch(aap), { discard: true })

describe("a path", () => {
  it.effect("is served below both prefixes, and the answer's paths repeat the one that was used", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      const answer = yield* ask(aap, "POST /api/controller/v2/job_templates/7/launch/", {
        extra_vars: { link: '"/api/v2/jobs/1/"' }
      })
      expect(answer.headers.location).toBe("/api/controller/v2/jobs/1/")
      expect(at(answer.json, "related").cancel).toBe("/api/controller/v2/jobs/1/cancel/")
      expect(answer.json.extra_vars).toBe('{"link": "\\"/api/v2/jobs/1/\\""}')
      expect((yield* ask(aap, "GET jobs/1/")).json.url).toBe("/api/v2/jobs/1/")
    })
  )

  it.effect("without its slash is moved, a POST too, and takes no effect", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      yield* launch(aap)
      expect(yield* ask(aap, "POST jobs/1/cancel")).toMatchObject({
        status: 301,
        headers: { location: "/api/v2/jobs/1/cancel/" }
      })
      expect((yield* ask(aap, "GET unified_jobs?id=1")).headers.location).toBe("/api/v2/unified_jobs/?id=1")
      expect((yield* ask(aap, "GET jobs/1/")).json.status).toBe("pending")
    })
  )

  it.effect("that nobody knows is answered with a page", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      for (const path of ["/", "/api/v2/nothing/", "/api/v2/unified_jobs/1/", "/v2/jobs/"]) {
        const answer = yield* ask(aap, `GET ${path}`)
        expect(answer).toMatchObject({ status: 404, headers: { "content-type": "text/html; charset=utf-8" } })
      }
    })
  )
})

describe("a list", () => {
  it.effect("is cut at the server's largest page, and its links say so", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make({ maxPageSize: 2 })
      yield* several(aap, 5)
      const first = yield* ask(aap, "GET unified_jobs/?page_size=200&order_by=-id&id__in=1,2,3,4,5")
      expect(ids(first)).toEqual([5, 4])
      expect(first.json.next).toBe("/api/v2/unified_jobs/?id__in=1%2C2%2C3%2C4%2C5&order_by=-id&page=2&page_size=2")
      const second = yield* ask(aap, `GET ${first.json.next}`)
      expect(ids(second)).toEqual([3, 2])
    })
  )

  it.effect("filters by every lookup a search for lost jobs needs", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      yield* launch(aap)
      yield* TestClock.adjust("1 hour")
      yield* launch(aap, {}, "operator-token")
      yield* ask(aap, "POST jobs/1/relaunch/")
      yield* ask(aap, "POST job_templates/8/launch/")
      const found = (query: string) => Effect.map(ask(aap, `GET unified_jobs/?${query}`), ids)
      expect(yield* found("created__gte=1970-01-01T00:30:00Z&order_by=-id")).toEqual([4, 3, 2])
      expect(yield* found("created__lte=1970-01-01T00:30:00.000000Z")).toEqual([1])
      expect(yield* found("created_by=2")).toEqual([2])
      expect(yield* found("created_by__username=operator")).toEqual([2])
      expect(yield* found("launch_type=relaunch")).toEqual([3])
      expect(yield* found("not__launch_type=relaunch&unified_job_template=7")).toEqual([1, 2])
      expect(yield* found("or__unified_job_template=8&or__launch_type=relaunch")).toEqual([3, 4])
      expect(yield* found("status__in=successful,failed")).toEqual([1])
      expect(yield* found("finished__isnull=true")).toEqual([2, 3, 4])
      expect(yield* found("name__icontains=DELETE")).toEqual([4])
      expect(yield* found("id__gt=2&order_by=id")).toEqual([3, 4])
      expect(yield* found("type=workflow_job")).toEqual([])
      expect(ids(yield* ask(aap, "GET job_templates/7/jobs/?order_by=-created,-id"))).toEqual([3, 2, 1])
    })
  )

  it.effect("refuses fields it does not know, values it cannot read, and variables", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      const answer = (path: string) => Effect.map(ask(aap, `GET ${path}`), ({ status, json }) => [status, json.detail])
      expect(yield* answer("jobs/?extra_vars__icontains=x")).toEqual([403, "Filtering on extra_vars is not allowed."])
      expect(yield* answer("unified_jobs/?extra_vars__icontains=x")).toEqual([
        400,
        "UnifiedJob has no field named 'extra_vars'"
      ])
      expect(yield* answer("unified_jobs/?skip_tags=x")).toEqual([400, "UnifiedJob has no field named 'skip_tags'"])
      expect(yield* answer("unified_jobs/?id__in=")).toEqual([400, "cannot provide empty value for __in"])
      expect(yield* answer("unified_jobs/?unified_job_template=x")).toEqual([400, "Invalid unified_job_template id: x"])
      expect(yield* answer("unified_jobs/?created__gte=yesterday")).toEqual([
        400,
        expect.stringContaining("invalid format")
      ])
      expect(yield* answer("unified_jobs/?name__regex=(")).toEqual([400, "invalid regular expression: ("])
      expect(yield* answer("unified_jobs/?order_by=colour")).toEqual([
        400,
        expect.stringContaining("Cannot resolve keyword 'colour'")
      ])
    })
  )
})

describe("a template", () => {
  it.effect("may share its name with one of another organization or kind", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make({
        organizations: ["a", "b"],
        templates: [{ name: "t" }, { name: "t", organization: "b" }, { name: "t", kind: "workflow_job_template" }]
      })
      const found = (query: string) => Effect.map(ask(aap, `GET unified_job_templates/?name=t&${query}`), ids)
      expect(yield* found("")).toEqual([7, 8, 9])
      expect(yield* found("type=job_template")).toEqual([7, 8])
      expect(yield* found("organization__name=b")).toEqual([8])
      expect((yield* ask(aap, "GET job_templates/t++b/")).json.id).toBe(8)
      expect((yield* ask(aap, "GET job_templates/t++c/")).status).toBe(404)
    })
  )

  it.effect("that was removed or renamed is not found, and a role on it stays", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      yield* aap.renameTemplate(7, "new name")
      const look = (name: string) =>
        Effect.map(ask(aap, `GET unified_job_templates/?name=${name}`, undefined, "operator-token"), ids)
      expect(yield* look("osac-create-compute-instance")).toEqual([])
      expect(yield* look("new%20name")).toEqual([7])
      yield* aap.removeTemplate(7)
      expect(yield* launch(aap)).toMatchObject({
        status: 404,
        json: { detail: "No JobTemplate matches the given query." }
      })
    })
  )
})

describe("a token", () => {
  it.effect("is worth nothing once revoked, and can be replaced", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      yield* aap.revokeToken("operator-token")
      expect((yield* ask(aap, "GET me/", undefined, "operator-token")).status).toBe(401)
      yield* aap.issueToken("operator", "second")
      expect(rows(yield* ask(aap, "GET me/", undefined, "second"))).toMatchObject([{ id: 2, username: "operator" }])
    })
  )

  it.effect("with scope read may look and do nothing", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      yield* aap.issueToken("operator", "reader", "read")
      expect((yield* ask(aap, "GET job_templates/7/launch/", undefined, "reader")).status).toBe(200)
      expect((yield* launch(aap, {}, "reader")).status).toBe(403)
      expect(yield* aap.ledger).toEqual([])
    })
  )

  it.effect("of a user who lost the role sees neither template nor job", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      yield* launch(aap, {}, "operator-token")
      yield* aap.setUserRoles("operator", [])
      expect((yield* ask(aap, "GET jobs/1/", undefined, "operator-token")).status).toBe(403)
      expect(ids(yield* ask(aap, "GET unified_jobs/?id__in=1", undefined, "operator-token"))).toEqual([])
      expect((yield* launch(aap, {}, "operator-token")).status).toBe(403)
    })
  )
})
