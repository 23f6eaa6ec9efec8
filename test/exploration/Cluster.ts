/**
 * The port to Kubernetes, over an API server that is no more than the questions it is asked. The adapter is the production
 * one, so that a write is guarded here by what would stand in its patch on the wire, and by nothing else.
 */
import { Effect, Option, Schema, Stream } from "effect"
import { ApiServer, type Call } from "../../src/adapters/kubernetes/ApiServer.ts"
import { make } from "../../src/adapters/kubernetes/KubernetesClient.ts"
import { isObject } from "../../src/domain/Resource.ts"
import { Clearance, HELD_BACK } from "../../src/ports/Clearance.ts"
import {
  Conflict,
  Invalid,
  KubernetesError,
  NotFound,
  ServerFailure,
  Unreachable
} from "../../src/ports/KubernetesClient.ts"
import type { Request } from "./Request.ts"
import { ask, give } from "./Run.ts"

const reasons = {
  Conflict: new Conflict({ message: "the object has been modified" }),
  NotFound: new NotFound({ message: "not found" }),
  Invalid: new Invalid({ status: 422, message: "no new finalizers can be added if the object is being deleted" })
}
const heldBack = new Unreachable({ code: HELD_BACK, message: "this replica no longer leads" })
const away = new ServerFailure({ status: 503, message: "away", retryAfter: Option.none() })

const Patch = Schema.Struct({
  metadata: Schema.optionalKey(
    Schema.Struct({
      resourceVersion: Schema.optionalKey(Schema.String),
      annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Schema.String))),
      finalizers: Schema.optionalKey(Schema.Array(Schema.String))
    })
  ),
  status: Schema.optionalKey(Schema.Json)
})
const decodePatch = Schema.decodeUnknownSync(Patch)

/** What a call asks. A patch without a resourceVersion is a write without a guard, as the API server takes it. */
const requestOf = ({ body, method }: Call): Request => {
  if (method === "GET") return { _tag: "read" }
  const { metadata = {}, status } = decodePatch(body?.json)
  const { resourceVersion, ...change } = metadata
  const guard = resourceVersion === undefined ? undefined : Number(resourceVersion)
  return isObject(status) ? { _tag: "status", guard, patch: status } : { _tag: "metadata", guard, change }
}

const call = Effect.fnUntraced(function* (one: Call): Effect.fn.Return<Schema.Json, KubernetesError> {
  const { method, operation } = one
  const isClear = yield* Clearance
  // who lost the lease sends nothing that changes anything
  if (method !== "GET" && !isClear()) return yield* new KubernetesError({ operation, reason: heldBack })
  const reply = yield* ask(requestOf(one))
  if (reply._tag === "object") {
    const object = give(reply.version)
    return { ...object, metadata: { ...object.metadata } }
  }
  return yield* new KubernetesError({ operation, reason: reply._tag === "refused" ? reasons[reply.why] : away })
})

const resource = {
  group: "cloudkit.openshift.io",
  version: "v1alpha1",
  plural: "computeinstances",
  namespace: Option.none<string>()
}

const server = ApiServer.of({
  call,
  open: () => Effect.succeed({ bytes: Stream.never, circumstances: { now: 0, server: "", secrets: [] } })
})

export const client = Effect.runSync(Effect.provideService(make(resource), ApiServer, server))
