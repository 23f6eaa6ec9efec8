/**
 * A real etcd and kube-apiserver with our definition, in the place of a simulator. What the operator asks for is counted from
 * the audit log, by the same names; Events are not.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Schedule, type Scope } from "effect"
import { HttpClientRequest } from "effect/http"
import { parse } from "yaml"
import { GROUP, PLURAL, VERSION } from "../../src/domain/ComputeInstance.ts"
import { askedBy } from "../../test/cluster/Audit.ts"
import { assets, present } from "../../test/cluster/assets.ts"
import { type ControlPlane, type ControlPlaneError, start } from "../../test/cluster/ControlPlane.ts"
import { ProcessFailed } from "./Child.ts"
import type { Simulator } from "./Simulators.ts"

export const OPERATOR_TOKEN = "operator-token"
/** Of those who order machines. */
const USER_TOKEN = "bench"

const crd = new URL(`../../k8s/crd/${GROUP}_${PLURAL}.yaml`, import.meta.url)

const KINDS: Readonly<Record<string, string>> = {
  get: "read of one object",
  list: "list",
  watch: "watch",
  patch: "write of metadata",
  update: "write of metadata",
  "patch status": "write of status",
  "update status": "write of status"
}

const failed = (error: ControlPlaneError) => new ProcessFailed({ message: error.message })

const defined = ({ client, url }: ControlPlane) =>
  Effect.gen(function* () {
    const request = HttpClientRequest.post(`${url}/apis/apiextensions.k8s.io/v1/customresourcedefinitions`).pipe(
      HttpClientRequest.bearerToken(USER_TOKEN),
      HttpClientRequest.bodyText(JSON.stringify(parse(readFileSync(crd, "utf8"))), "application/json")
    )
    const { status } = yield* client.execute(request)
    if (status !== 201) return yield* new ProcessFailed({ message: `our definition was answered ${status}` })
    const list = HttpClientRequest.bearerToken(
      HttpClientRequest.get(`${url}/apis/${GROUP}/${VERSION}/${PLURAL}`),
      USER_TOKEN
    )
    yield* Effect.repeat(client.execute(list), {
      schedule: Schedule.spaced("100 millis"),
      until: (answer) => answer.status === 200
    })
  }).pipe(Effect.catchTag("HttpClientError", (error) => Effect.fail(new ProcessFailed({ message: error.message }))))

/** Counts since the last reset, as a simulator tells them. */
const makeCounter = (audit: string) => {
  let before = 0
  const asked = () => askedBy("operator", audit)
  return {
    reset: () => {
      before = asked().length
    },
    counts: () => {
      const counts: Record<string, number> = {}
      const refusals: Record<string, number> = {}
      for (const { code, subresource, verb } of asked().slice(before)) {
        const kind = KINDS[subresource === "" ? verb : `${verb} ${subresource}`] ?? verb
        counts[kind] = (counts[kind] ?? 0) + 1
        if (code >= 400) refusals[`${kind} ${code}`] = (refusals[`${kind} ${code}`] ?? 0) + 1
      }
      return { counts, refusals }
    }
  }
}

const nothingElse = (path: string) => new ProcessFailed({ message: `a real API server has no ${path}` })

export const startRealKubernetes = (
  directory: string
): Effect.Effect<{ readonly server: Simulator; readonly certificate: string }, ProcessFailed, Scope.Scope> =>
  Effect.gen(function* () {
    if (!present("etcd", "kube-apiserver")) {
      return yield* new ProcessFailed({
        message:
          "set KUBEBUILDER_ASSETS to the folder with etcd and kube-apiserver (`setup-envtest use -p path` prints one)"
      })
    }
    const audit = join(directory, "audit.log")
    const tokens = [`${OPERATOR_TOKEN},operator,1,system:masters`, `${USER_TOKEN},somebody,2,system:masters`]
    const plane = yield* Effect.mapError(start({ assets, tokens, audit }), failed)
    yield* defined(plane)
    const counter = makeCounter(audit)
    const server: Simulator = {
      pid: plane.pid(),
      url: plane.url,
      open: plane.url,
      get: (path, decode) =>
        path === "/counts" ? Effect.sync(() => decode(counter.counts())) : Effect.fail(nothingElse(path)),
      post: (path) => (path === "/reset" ? Effect.sync(counter.reset) : Effect.fail(nothingElse(path)))
    }
    return { server, certificate: plane.certificate }
  })
