/** The EDA provider over the HTTP client that it has in production, and real sockets. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Option } from "effect"
import { HttpClient } from "effect/http"
import * as Outbound from "../../../src/adapters/http/Outbound.ts"
import * as SimulatedEda from "../../support/SimulatedEda.ts"
import { ConnectionLost, serve, text } from "../../support/Wire.ts"
import { launch as loudly, orderOf, providerWith } from "./Rig.ts"

const launch = (...args: Parameters<typeof loudly>) => Effect.provide(loudly(...args), Logger.layer([]))

describe("over real sockets", () => {
  const outbound = Outbound.layer({ server: "http://127.0.0.1", authorities: [], verify: true, connections: 4 })
  const providerAt = (url: string) =>
    Effect.flatMap(Layer.build(outbound), (context) =>
      providerWith(Context.get(context, HttpClient.HttpClient), {
        webhooks: { provision: Option.some(url), deprovision: Option.none() }
      })
    )

  it.live("a call is accepted", () =>
    Effect.gen(function* () {
      const eda = yield* SimulatedEda.make()
      const { url } = yield* serve(eda.handler)
      const provider = yield* providerAt(`${url}/create-compute-instance`)
      assert.strictEqual((yield* launch(provider)).id, "eda-webhook-1")
      assert.deepStrictEqual(
        (yield* eda.webhooks).map(({ body }) => JSON.parse(body)),
        [orderOf().payload]
      )
    })
  )

  it.live("a redirect is not followed", () =>
    Effect.gen(function* () {
      const eda = yield* SimulatedEda.make()
      const behind = yield* serve(eda.handler)
      const { url } = yield* serve(() =>
        Effect.succeed({ ...text(307, ""), headers: { location: `${behind.url}/create-compute-instance` } })
      )
      const error = yield* Effect.flip(launch(yield* providerAt(`${url}/create-compute-instance`)))
      assert.strictEqual(error.reason, "ProviderMisaddressed")
      assert.deepStrictEqual(yield* eda.webhooks, [])
    })
  )

  it.live("nobody listening is told from a connection that breaks", () =>
    Effect.gen(function* () {
      const { url } = yield* Effect.scoped(serve(() => Effect.succeed(text(200, ""))))
      const refused = yield* Effect.flip(launch(yield* providerAt(url)))
      assert.deepStrictEqual([refused.applied, refused.message.includes("ECONNREFUSED")], ["no", true])
      const breaking = yield* serve(() => Effect.fail(new ConnectionLost({ code: "ECONNRESET" })))
      const lost = yield* Effect.flip(launch(yield* providerAt(breaking.url)))
      assert.strictEqual(lost.applied, "unknown")
    })
  )
})
