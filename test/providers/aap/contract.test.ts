/** AAP keeps what every provider promises. */
import { Effect } from "effect"
import type { Harm } from "../../support/Faults.ts"
import { json } from "../../support/Wire.ts"
import { contract } from "../contract.ts"
import type { ProviderWorld } from "../contractWorld.ts"
import { isLaunch, makeRig } from "./Rig.ts"

const harms: Readonly<Record<"refuse" | "loseAnswer" | "silence", Harm>> = {
  refuse: { _tag: "Answer", response: json(400, { detail: "No." }) },
  loseAnswer: { _tag: "Lose", code: "ECONNRESET", after: true },
  silence: { _tag: "Hang" }
}

contract({
  name: "aap",
  blockDeletionOnFailure: true,
  ids: { own: ["1", "41", "4294967296"], foreign: ["eda-webhook-1", "", "job-1", "1.5", "../1"] },
  unknownId: "987654",
  make: Effect.gen(function* () {
    const { aap, wire, provider } = yield* makeRig()
    yield* aap.play(() => ({ ends: "never" }))
    return {
      provider,
      launched: Effect.map(aap.ledger, (ledger) =>
        ledger.map((job) => ({ uid: job.object?.uid, live: job.finished === undefined }))
      ),
      requests: Effect.map(wire.exchanges, (exchanges) => exchanges.length),
      harmNextLaunch: (harm) => wire.order({ when: isLaunch, harm: harms[harm] }),
      succeed: (object, job) => Effect.as(aap.setStatus(Number(job.id), "successful"), object)
    } satisfies ProviderWorld
  })
})
