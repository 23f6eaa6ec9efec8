/** A launch that was held back in this process says nothing of AAP. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { cleared } from "../../../src/adapters/http/Clearance.ts"
import { Clearance } from "../../../src/ports/Clearance.ts"
import { ProvisioningProvider } from "../../../src/ports/ProvisioningProvider.ts"
import * as AapProvider from "../../../src/providers/aap/AapProvider.ts"
import { AapSettings } from "../../../src/providers/aap/AapSettings.ts"
import * as SimulatedAap from "../../support/SimulatedAap.ts"
import { ConnectionLost, inProcess, type WireHandler } from "../../support/Wire.ts"
import { aapSettings, launch, orderOf } from "./Rig.ts"

/** The provider as `main` builds it: over a client that lets nothing out without a clearance. */
const providerOf = (handler: WireHandler) =>
  Effect.map(
    Layer.build(
      AapProvider.layer.pipe(
        Layer.provide(Layer.succeed(HttpClient.HttpClient, cleared(inProcess(handler)))),
        Layer.provide(Layer.succeed(AapSettings, aapSettings())),
        Layer.orDie
      )
    ),
    (context) => Context.get(context, ProvisioningProvider)
  )

it.effect("a launch without clearance fails, certainly without effect, and the next one leaves at once", () =>
  Effect.gen(function* () {
    const aap = yield* SimulatedAap.make()
    const provider = yield* providerOf(aap.handler)
    const held = Effect.flatMap(provider.prepare("provision"), ({ send }) =>
      Effect.provideService(send(orderOf(1)), Clearance, () => false)
    )
    const error = yield* Effect.flip(Effect.scoped(held))
    assert.strictEqual(error.applied, "no")
    yield* launch(provider, 2)
    assert.lengthOf(yield* aap.ledger, 1)
  })
)

it.effect("a launch whose connection is not made shuts the gate, as that is AAP's doing", () =>
  Effect.gen(function* () {
    const aap = yield* SimulatedAap.make()
    let isAway = false
    const provider = yield* providerOf((request) =>
      isAway ? Effect.fail(new ConnectionLost({ code: "ECONNREFUSED" })) : aap.handler(request)
    )
    yield* launch(provider, 1)
    isAway = true
    yield* Effect.flip(launch(provider, 2))
    isAway = false
    assert.strictEqual((yield* Effect.flip(launch(provider, 3))).reason, "ProviderUnreachable")
  })
)
