/** The token goes to AAP alone, and what others name never becomes part of an address. */
import { createServer } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Option } from "effect"
import { TestClock } from "effect/testing"
import { AapClient } from "../../../src/providers/aap/AapClient.ts"
import { AapSettings } from "../../../src/providers/aap/AapSettings.ts"
import { Permits } from "../../../src/providers/aap/Permits.ts"
import { listening } from "../../support/loopback.ts"
import { json, type WireHandler } from "../../support/Wire.ts"
import { aapSettings, makeRig, objectOf, providerOver, uidOf } from "./Rig.ts"

it.effect("links to further pages are not followed, wherever they lead", () =>
  Effect.gen(function* () {
    const hosts = new Set<string>()
    const handler: WireHandler = ({ url }) => {
      hosts.add(url.host)
      const next = "http://169.254.169.254/latest/meta-data/?page=2"
      const rows = [{ id: hosts.size, type: "job", status: "running" }]
      return Effect.succeed(json(200, { count: 9, next, previous: next, results: rows }))
    }
    const provider = yield* providerOver(handler)
    yield* Effect.ignore(
      provider.find?.({ template: "t", uid: uidOf(1), since: "2026-01-01T00:00:00Z" }) ?? Effect.void
    )
    yield* provider.track(objectOf(1), [{ id: "1", kind: "job", operation: "provision", launchKey: undefined }])
    yield* TestClock.adjust("5 minutes")
    assert.deepStrictEqual([...hosts], ["aap.test"])
  })
)

it.live("redirects are not followed over real sockets either", () =>
  Effect.gen(function* () {
    const visits: Array<string> = []
    const redirecting = (location: string) => {
      const server = createServer((request, response) => {
        visits.push(`${location === "" ? "elsewhere" : "aap"} ${request.headers.authorization ?? ""}`)
        response.writeHead(location === "" ? 200 : 307, { location }).end()
      })
      return Effect.map(listening(server), (port) => `http://127.0.0.1:${port}`)
    }
    const elsewhere = yield* redirecting("")
    const aap = yield* redirecting(`${elsewhere}/steal`)
    const settings = Layer.succeed(AapSettings, aapSettings({ url: aap }))
    const layer = AapClient.layer.pipe(
      Layer.provide([Permits.layer, settings, NodeHttpClient.layerUndici]),
      Layer.provide(settings)
    )
    const client = Context.get(yield* Layer.build(layer), AapClient)
    const error = yield* Effect.flip(client.launch("job_template", 7, { extra_vars: {} }))
    assert.strictEqual(error._tag, "Redirected")
    assert.deepStrictEqual(visits, ["aap Bearer operator-token"])
  }).pipe(Effect.provide(Logger.layer([])))
)

it.effect("a template's name stays a parameter, whatever characters it has", () =>
  Effect.gen(function* () {
    const name = "x\r\nHost: evil.test\r\n\r\nGET /?a=b&name=y#"
    const asked: Array<URL> = []
    const handler: WireHandler = ({ url }) => {
      asked.push(url)
      return Effect.succeed(json(200, { results: [], next: null }))
    }
    const provider = yield* providerOver(handler, { templates: { provision: name, deprovision: "y" } })
    const error = yield* Effect.flip(Effect.scoped(provider.prepare("provision")))
    assert.strictEqual(error.reason, "TemplateNotFound")
    assert.notMatch(error.message, /[\p{Cc}\p{Cf}]/u)
    assert.deepStrictEqual(
      asked.map((url) => [url.host, url.searchParams.get("name")]),
      [["aap.test", name]]
    )
    assert.notMatch(asked[0]?.href ?? "", /[\r\n ]/u)
  })
)

it.effect("an id that is no number never becomes part of an address", () =>
  Effect.gen(function* () {
    const rig = yield* makeRig()
    for (const id of ["../users/1", "1/../../me", "1?x=1", "1\r\nHost: evil.test", "%2e%2e", "", "9".repeat(16)]) {
      const found = yield* rig.provider.lookUp?.(id) ?? Effect.die(new Error("AAP looks up jobs"))
      assert.isTrue(Option.isNone(found), id)
      const reference = { id, kind: "job", operation: "provision", launchKey: undefined } as const
      yield* Effect.ignore(rig.provider.cancel?.(objectOf(1), reference) ?? Effect.void)
      yield* rig.provider.track(objectOf(1), [reference])
      yield* TestClock.adjust("2 seconds")
    }
    assert.deepStrictEqual(yield* rig.wire.exchanges, [])
  })
)
