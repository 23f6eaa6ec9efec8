/** The errors of real sockets, as Node and undici really report them, on this machine's loopback only. */
import { createServer } from "node:net"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Logger, type Scope } from "effect"
import { ProvisioningProvider } from "../../../src/ports/ProvisioningProvider.ts"
import { AapClient } from "../../../src/providers/aap/AapClient.ts"
import * as AapProvider from "../../../src/providers/aap/AapProvider.ts"
import { AapSettings } from "../../../src/providers/aap/AapSettings.ts"
import { Permits } from "../../../src/providers/aap/Permits.ts"
import { listening } from "../../support/loopback.ts"
import * as SimulatedAap from "../../support/SimulatedAap.ts"
import { serve } from "../../support/Wire.ts"
import { aapSettings, launch } from "./Rig.ts"

const settingsOf = (url: string) =>
  Layer.succeed(AapSettings, aapSettings({ url, requestTimeout: Duration.seconds(2) }))

/** How a launch at this address fails. */
const failureAt = (url: string) =>
  Effect.gen(function* () {
    const layer = AapClient.layer.pipe(
      Layer.provide(Permits.layer),
      Layer.provide(settingsOf(url)),
      Layer.provide(NodeHttpClient.layerUndici)
    )
    const client = Context.get(yield* Layer.build(layer), AapClient)
    return yield* Effect.flip(client.launch("job_template", 7, { extra_vars: {} }))
  })

/** A port on which every connection is treated like this. */
const port = (
  treat: (socket: {
    readonly resetAndDestroy: () => void
    readonly once: (event: "data", f: () => void) => void
  }) => void
) => listening(createServer(treat))

const live = (name: string, test: Effect.Effect<void, unknown, Scope.Scope>) =>
  it.live(name, () => Effect.provide(test, Logger.layer([])))

describe("over real sockets", () => {
  live(
    "a launch arrives, and its job is read",
    Effect.gen(function* () {
      const aap = yield* SimulatedAap.make()
      const { url } = yield* serve(aap.handler)
      const layer = AapProvider.layer.pipe(Layer.provide(settingsOf(url)), Layer.provide(NodeHttpClient.layerUndici))
      const provider = Context.get(yield* Layer.build(layer), ProvisioningProvider)
      const job = yield* launch(provider, 1)
      assert.strictEqual((yield* aap.ledger)[0]?.id, Number(job.id))
    })
  )

  live(
    "a refused connection sent nothing",
    Effect.gen(function* () {
      const free = yield* Effect.scoped(port(() => undefined))
      const error = yield* failureAt(`http://127.0.0.1:${free}`)
      assert.deepStrictEqual([error._tag, "code" in error ? error.code : ""], ["Unreachable", "ECONNREFUSED"])
    })
  )

  live(
    "a connection that breaks after the request may have applied it",
    Effect.gen(function* () {
      const broken = yield* port((socket) => socket.once("data", () => socket.resetAndDestroy()))
      assert.strictEqual((yield* failureAt(`http://127.0.0.1:${broken}`))._tag, "ConnectionReset")
    })
  )

  live(
    "TLS that cannot be spoken sent nothing, and its code is told",
    Effect.gen(function* () {
      const { port: plain } = yield* serve(() => Effect.never)
      const error = yield* failureAt(`https://127.0.0.1:${plain}`)
      assert.strictEqual(error._tag, "TlsFailure")
      assert.match("code" in error ? error.code : "", /^(ERR_SSL_|EPROTO)/u)
    })
  )

  live(
    "silence ends with the request timeout, and may have applied it",
    Effect.gen(function* () {
      const { url } = yield* serve(() => Effect.never)
      assert.strictEqual((yield* failureAt(url))._tag, "Timeout")
    })
  )
})
