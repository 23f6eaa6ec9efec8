/** The API server's front: who asks, what for, and the answer, on the wire type of the simulators. */
import { Clock, Effect, Result } from "effect"
import { json, text, type WireHandler, type WireRequest, type WireResponse } from "../Wire.ts"
import { authenticated, authorized, type User } from "./Access.ts"
import { type ApiError, invalidOptions } from "./ApiError.ts"
import { type Core, timestamp } from "./Core.ts"
import { discovered, serverVersion } from "./Discovery.ts"
import { openApi } from "./OpenApi.ts"
import { operate } from "./Operations.ts"
import { attemptOf, type Target, targetOf, verbOf } from "./Targets.ts"
import type { Watches } from "./Watches.ts"

export interface Server {
  readonly core: Core
  readonly watches: Watches
  readonly tokens: Readonly<Record<string, User>> | undefined
}

const nowhere = text(404, "404 page not found\n")

/** Everything that is not a resource. */
const document = ({ core }: Server, path: string): WireResponse => {
  if (["/healthz", "/livez", "/readyz"].includes(path)) return text(200, "ok")
  if (path === "/version") return json(200, serverVersion)
  const found = path.startsWith("/openapi")
    ? core.behaviours.openApi && openApi(core.kinds, path)
    : core.behaviours.discovery && discovered(core.kinds, path)
  return found === undefined || found === false ? nowhere : json(200, found)
}

const validations = ["", "Ignore", "Strict", "Warn"]

const onResource = (
  { core, watches }: Server,
  wire: WireRequest,
  target: Target,
  clock: Clock.Clock
): Result.Result<WireResponse, ApiError> => {
  const resource = core.kinds.find(target.group, target.version, target.plural)
  const { namespace, subresource } = target
  if (resource === undefined || (namespace !== undefined && !resource.namespaced)) return Result.succeed(nowhere)
  const known = subresource === undefined || (subresource === "status" && resource.statusSubresource)
  if (!known) return Result.succeed(nowhere)
  const query = wire.url.searchParams
  const fieldValidation = query.get("fieldValidation") ?? ""
  const verb = verbOf(wire.method, target)
  if (!validations.includes(fieldValidation)) {
    const options = `${{ create: "Create", update: "Update" }[verb] ?? "Patch"}Options`
    const message = `Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "", "Ignore", "Strict", "Warn"`
    return Result.fail(invalidOptions(options, "fieldValidation", "FieldValueNotSupported", message))
  }
  const agent = wire.headers["user-agent"]?.split("/")[0]
  const write = {
    resource,
    subresource: subresource === "status" ? ("status" as const) : ("" as const),
    namespace,
    name: target.name ?? "",
    manager: query.get("fieldManager") ?? (agent === undefined || agent === "" ? "unknown" : agent),
    now: timestamp(clock.currentTimeMillisUnsafe()),
    fieldValidation,
    dryRun: query.get("dryRun") === "All",
    patch: verb === "patch"
  }
  return operate({ core, watches, wire, target, write, clock }, verb)
}

const answer = (server: Server, wire: WireRequest, clock: Clock.Clock): Result.Result<WireResponse, ApiError> =>
  Result.gen(function* () {
    const { behaviours } = server.core
    const target = targetOf(wire.url)
    const user = yield* authenticated(server.tokens, wire.headers.authorization, behaviours)
    yield* authorized(user, attemptOf(user.user, wire, target), behaviours)
    return target === undefined ? document(server, wire.url.pathname) : yield* onResource(server, wire, target, clock)
  })

const refused = ({ core }: Server, error: ApiError): WireResponse => {
  const code = error.code === 404 && !core.behaviours.missingIsNotFound ? 500 : error.code
  return json(code, { ...error.body, code })
}

export const handlerOf =
  (server: Server): WireHandler =>
  (wire) =>
    Clock.clockWith((clock) =>
      Effect.sync(() => {
        const answered = answer(server, wire, clock)
        return Result.isSuccess(answered) ? answered.success : refused(server, answered.failure)
      })
    )
