/** EDA keeps what every provider promises. */
import { Effect } from "effect"
import { RECONCILED_VERSION_ANNOTATION } from "../../../src/domain/ComputeInstance.ts"
import { readKey } from "../../../src/domain/Intent.ts"
import type { Harm } from "../../support/Faults.ts"
import { text } from "../../support/Wire.ts"
import { contract } from "../contract.ts"
import type { ProviderWorld } from "../contractWorld.ts"
import { makeRig } from "./Rig.ts"

const harms: Readonly<Record<"refuse" | "loseAnswer" | "silence", Harm>> = {
  refuse: { _tag: "Answer", response: text(400, "Invalid JSON payload") },
  loseAnswer: { _tag: "Lose", code: "ECONNRESET", after: true },
  silence: { _tag: "Hang" }
}

contract({
  name: "eda",
  blockDeletionOnFailure: false,
  ids: { own: ["eda-webhook-1", "eda-webhook-41", "eda-webhook"], foreign: ["1", "", "job-1", "webhook-1"] },
  unknownId: "eda-webhook-987654",
  make: Effect.gen(function* () {
    const { eda, wire, provider } = yield* makeRig()
    return {
      provider,
      launched: Effect.map(eda.webhooks, (webhooks) =>
        webhooks.filter(({ accepted }) => accepted).map(({ event }) => ({ uid: event?.uid, live: true }))
      ),
      requests: Effect.map(wire.exchanges, (exchanges) => exchanges.length),
      harmNextLaunch: (harm) => wire.order({ when: () => true, harm: harms[harm] }),
      succeed: (object, { launchKey = "" }) =>
        Effect.succeed({
          ...object,
          metadata: {
            ...object.metadata,
            annotations: { [RECONCILED_VERSION_ANNOTATION]: readKey(launchKey)?.configVersion ?? "" }
          }
        })
    } satisfies ProviderWorld
  })
})
