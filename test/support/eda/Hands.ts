/**
 * What a playbook does to the object it was started for, over the API server's own wire.
 *
 * It goes by namespace and name, as `kubernetes.core.k8s` does, reads before it changes the list of finalizers, and writes
 * with the version it read. What the API server refuses is noted and does not stop the playbook.
 */
import { Effect } from "effect"
import {
  DEPROVISIONED_ANNOTATION,
  GROUP,
  PLAYBOOK_FINALIZERS,
  PLURAL,
  RECONCILED_VERSION_ANNOTATION,
  VERSION
} from "../../../src/domain/ComputeInstance.ts"
import { type Json, type JsonObject, stringAt, stringsAt } from "../kubernetes/Json.ts"
import type { WireHandler } from "../Wire.ts"

/** The API server, and where it is. */
export interface Cluster {
  readonly handler: WireHandler
  readonly origin: string
}

export interface Hands {
  /** Puts the playbooks' finalizer on. */
  readonly hold: Effect.Effect<void>
  /** Takes the playbooks' finalizers off. */
  readonly release: Effect.Effect<void>
  readonly reconciled: (version: string) => Effect.Effect<void>
  readonly deprovisioned: Effect.Effect<void>
}

/** There is nobody to tell. */
export const noHands: Hands = {
  hold: Effect.void,
  release: Effect.void,
  reconciled: () => Effect.void,
  deprovisioned: Effect.void
}

interface Answered {
  readonly status: number
  readonly object: Json
}

const [finalizer] = PLAYBOOK_FINALIZERS

export const makeHands = (
  { handler, origin }: Cluster,
  object: { readonly namespace: string; readonly name: string },
  refused: (what: string) => void
): Hands => {
  const url = new URL(`/apis/${GROUP}/${VERSION}/namespaces/${object.namespace}/${PLURAL}/${object.name}`, origin)

  const ask = (method: string, body = ""): Effect.Effect<Answered> =>
    handler({
      method,
      url,
      headers: {
        accept: "application/json",
        authorization: "Bearer playbook",
        "user-agent": "ansible",
        ...(body === "" ? {} : { "content-type": "application/merge-patch+json" })
      },
      body
    }).pipe(
      Effect.map((response): Answered => {
        const text = typeof response.body === "string" && response.body !== "" ? response.body : "{}"
        const answer: Json = JSON.parse(text)
        return { status: response.status, object: answer }
      }),
      Effect.catchTag("ConnectionLost", ({ code }) =>
        Effect.succeed<Answered>({ status: 0, object: { message: code } })
      )
    )

  const patch = (metadata: JsonObject) => ask("PATCH", JSON.stringify({ metadata }))

  const noted = (what: string, { status, object: answer }: Answered): Effect.Effect<void> =>
    Effect.sync(() => {
      if (status < 200 || status >= 300) refused(`${what}: ${status} ${stringAt(answer, "message") ?? ""}`)
    })

  const annotate = (name: string, value: string) =>
    Effect.flatMap(patch({ annotations: { [name]: value } }), (answer) => noted(`annotate ${name}`, answer))

  /** Read, change, write; again when somebody else wrote in between. */
  const finalizers = (what: string, change: (current: ReadonlyArray<string>) => ReadonlyArray<string>) =>
    Effect.gen(function* () {
      for (;;) {
        const read = yield* ask("GET")
        if (read.status !== 200) return yield* noted(what, read)
        const current = stringsAt(read.object, "metadata", "finalizers")
        const wanted = change(current)
        if (wanted.length === current.length) return
        const resourceVersion = stringAt(read.object, "metadata", "resourceVersion") ?? ""
        const written = yield* patch({ resourceVersion, finalizers: wanted })
        if (written.status !== 409) return yield* noted(what, written)
      }
    })

  return {
    hold: finalizers("add the finalizer", (current) =>
      current.includes(finalizer) ? current : [...current, finalizer]
    ),
    release: finalizers("remove the finalizers", (current) =>
      current.filter((one) => !PLAYBOOK_FINALIZERS.includes(one))
    ),
    reconciled: (version) => annotate(RECONCILED_VERSION_ANNOTATION, version),
    deprovisioned: annotate(DEPROVISIONED_ANNOTATION, "true")
  }
}
