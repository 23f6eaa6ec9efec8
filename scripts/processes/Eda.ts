/** The simulated EDA as a process of its own, with playbooks that signal on a cluster of another process. */
import { Duration, Effect, Schema, type Scope } from "effect"
import * as SimulatedEda from "../../test/support/SimulatedEda.ts"
import { overHttp } from "../demo/overHttp.ts"
import type { Simulator } from "./Aap.ts"

const Playbook = Schema.Struct({ takes: Schema.Finite })
const decodePlaybook = Schema.decodeUnknownEffect(Playbook)

/** `cluster` is where the playbooks find the objects. */
export const makeEda = (cluster: string): Effect.Effect<Simulator, never, Scope.Scope> =>
  Effect.map(SimulatedEda.make({ cluster: { handler: overHttp, origin: cluster } }), (eda) => ({
    handler: eda.handler,
    routes: {
      "GET /runs": () => eda.runs,
      "GET /webhooks": () => eda.webhooks,
      "POST /play": (body) =>
        Effect.orDie(
          Effect.flatMap(decodePlaybook(body), ({ takes }) => eda.play(() => ({ worksFor: Duration.millis(takes) })))
        )
    }
  }))
