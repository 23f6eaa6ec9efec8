/**
 * The lock of the leader election as a Lease of coordination.k8s.io/v1.
 *
 * Written by merge patch, guarded by the resourceVersion, so that labels and annotations of others stay. Needs get, create
 * and patch on leases; nothing is listed or watched.
 */
import { Effect, Option, type Schema } from "effect"
import { Forbidden, KubernetesError, ServerFailure } from "../../ports/KubernetesClient.ts"
import type { Claim, Held, Lock } from "../../runtime/Lock.ts"
import { ApiServer, type Call } from "./ApiServer.ts"
import { isRecord } from "./KubernetesJson.ts"
import { microTime } from "./MicroTime.ts"

export interface LeaseName {
  readonly namespace: string
  readonly name: string
}

const MAX_BYTES = 1024 * 1024

const pathOf = ({ namespace }: LeaseName): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`

const specOf = (claim: Claim): Schema.Json => ({
  holderIdentity: claim.holder,
  leaseDurationSeconds: claim.seconds,
  acquireTime: microTime(claim.acquired),
  renewTime: microTime(claim.renewed),
  leaseTransitions: claim.transitions
})

const textIn = (value: unknown): string => (typeof value === "string" ? value : "")
const numberIn = (value: unknown): number => (typeof value === "number" ? value : 0)
const timeIn = (value: unknown): number => Date.parse(textIn(value)) || 0

/** What is missing reads as nothing: whoever made such a Lease did not lead. */
const claimIn = (spec: unknown): Claim => {
  const fields = isRecord(spec) ? spec : {}
  return {
    holder: textIn(fields.holderIdentity),
    seconds: numberIn(fields.leaseDurationSeconds),
    acquired: timeIn(fields.acquireTime),
    renewed: timeIn(fields.renewTime),
    transitions: numberIn(fields.leaseTransitions)
  }
}

const versionIn = (json: Schema.Json, operation: string): Effect.Effect<string, KubernetesError> => {
  const metadata = isRecord(json) ? json.metadata : undefined
  const version = isRecord(metadata) ? textIn(metadata.resourceVersion) : ""
  if (version !== "") return Effect.succeed(version)
  const message = "the answer is JSON, but no Lease with a resourceVersion"
  return Effect.fail(
    new KubernetesError({
      operation,
      reason: new ServerFailure({ status: 200, message, retryAfter: Option.none() })
    })
  )
}

/** The API server's words name the verb and the resource; these say what to do. */
const withRemedy =
  ({ namespace }: LeaseName) =>
  (error: KubernetesError): KubernetesError =>
    error.reason._tag === "Forbidden"
      ? new KubernetesError({
          operation: error.operation,
          reason: new Forbidden({
            message: `${error.reason.message}. Grant the ServiceAccount get, create and patch on leases of coordination.k8s.io in namespace ${namespace}`
          })
        })
      : error

/** The lock on a Lease of this name, which is created when it is first taken. */
export const make = (lease: LeaseName): Effect.Effect<Lock<KubernetesError>, never, ApiServer> =>
  Effect.map(ApiServer, (api) => {
    const at = `${lease.namespace}/${lease.name}`
    const object = `${pathOf(lease)}/${encodeURIComponent(lease.name)}`
    const ask = (call: Omit<Call, "maxBytes">) =>
      Effect.mapError(api.call({ ...call, maxBytes: MAX_BYTES }), withRemedy(lease))

    const write = (claim: Claim, call: Omit<Call, "maxBytes">): Effect.Effect<Held, KubernetesError> =>
      Effect.flatMap(ask(call), (json) =>
        Effect.map(versionIn(json, call.operation), (version) => ({ claim, version }))
      )

    return {
      read: ask({ operation: `get lease ${at}`, method: "GET", path: object }).pipe(
        Effect.flatMap((json) =>
          Effect.map(versionIn(json, `get lease ${at}`), (version) =>
            Option.some({ claim: claimIn(isRecord(json) ? json.spec : undefined), version })
          )
        ),
        Effect.catchIf(
          (error) => error.reason._tag === "NotFound",
          () => Effect.succeed(Option.none<Held>())
        )
      ),
      create: (claim) =>
        write(claim, {
          operation: `create lease ${at}`,
          method: "POST",
          path: pathOf(lease),
          body: {
            contentType: "application/json",
            json: {
              apiVersion: "coordination.k8s.io/v1",
              kind: "Lease",
              metadata: { name: lease.name, namespace: lease.namespace },
              spec: specOf(claim)
            }
          }
        }),
      update: (claim, version) =>
        write(claim, {
          operation: `patch lease ${at}`,
          method: "PATCH",
          path: object,
          body: {
            contentType: "application/merge-patch+json",
            json: { metadata: { resourceVersion: version }, spec: specOf(claim) }
          }
        }),
      // to patch what was deleted meanwhile is a conflict too; a namespace that is not there is not
      isConflict: ({ operation, reason }) =>
        reason._tag === "Conflict" || (reason._tag === "NotFound" && operation.startsWith("patch"))
    }
  })
