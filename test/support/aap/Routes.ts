/**
 * From a request to its answer: prefix, trailing slash, route, body, caller, method, in the order in which the controller
 * looks at them.
 */
import { Result } from "effect"
import type { WireRequest, WireResponse } from "../Wire.ts"
import { authenticate, type Caller } from "./Access.ts"
import { isParsedObject, type ParsedObject, parse } from "./PythonJson.ts"
import {
  api,
  forbidden,
  framework,
  methodNotAllowed,
  movedPermanently,
  notFoundPage,
  problem,
  type Reply,
  unauthorized,
  wrongContentType
} from "./Reply.ts"
import type { World } from "./World.ts"

/** A request that found its view. `parameters` are the captured parts of the path. */
export interface Call {
  readonly world: World
  readonly caller: Caller
  readonly prefix: string
  readonly url: URL
  readonly parameters: ReadonlyArray<string>
  readonly body: ParsedObject
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE"

export interface Route {
  /** The path below the prefix. */
  readonly path: RegExp
  readonly methods: Partial<Readonly<Record<Method, (call: Call) => Reply>>>
  /** Served to anybody. */
  readonly open?: (call: Omit<Call, "caller">) => Reply
}

export interface Answered {
  readonly response: WireResponse
  readonly delay: number
}

const prefixes = ["/api/controller/v2/", "/api/v2/"]

/** Resources that may be named by `name++organization`; what lies below them is found without its slash. */
const named = /^(?:job_templates|workflow_job_templates|organizations|users|inventories|projects)\/[^/]+\/./

const allowOf = ({ methods }: Route): string =>
  [...["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => method in methods), "HEAD", "OPTIONS"].join(", ")

const find = (routes: ReadonlyArray<Route>, path: string) => {
  for (const route of routes) {
    const match = route.path.exec(path)
    if (match !== null) return { route, parameters: match.slice(1) }
  }
  return undefined
}

const readBody = (request: WireRequest): Result.Result<ParsedObject, Reply> => {
  if (request.method === "GET" || request.method === "HEAD" || request.body === "") return Result.succeed({})
  if (!(request.headers["content-type"] ?? "").startsWith("application/json")) return Result.fail(wrongContentType)
  const parsed = parse(request.body)
  if (Result.isFailure(parsed))
    return Result.fail(problem(400, `JSON parse error - ${parsed.failure}\nPossible cause: trailing comma.`))
  return isParsedObject(parsed.success)
    ? Result.succeed(parsed.success)
    : Result.fail(problem(400, "JSON parse error - not a JSON object"))
}

const methodOf = (route: Route, method: string): ((call: Call) => Reply) | undefined => {
  switch (method) {
    case "HEAD":
      return route.methods.GET
    case "GET":
    case "POST":
    case "PUT":
    case "PATCH":
    case "DELETE":
      return route.methods[method]
    case "OPTIONS":
      return () => ({ status: 200, body: { name: "", description: "", renders: ["application/json"], parses: [] } })
  }
}

/** The answer of one view, after the path was resolved. */
const dispatch = (world: World, request: WireRequest, route: Route, rest: Omit<Call, "caller" | "body">): Answered => {
  const allow = allowOf(route)
  const caller = authenticate(world, request.headers.authorization)
  const answer = (reply: Reply, authenticated: boolean): Answered => {
    const response = api(world, reply, { allow, authenticated })
    return { response: request.method === "HEAD" ? { ...response, body: "" } : response, delay: reply.delay ?? 0 }
  }
  const body = readBody(request)
  if (Result.isFailure(body)) return answer(body.failure, false)
  if (route.open !== undefined && ["GET", "HEAD"].includes(request.method))
    return answer(route.open({ ...rest, body: body.success }), false)
  if (caller === undefined) return answer(unauthorized, false)
  const view = methodOf(route, request.method)
  if (view === undefined) return answer(methodNotAllowed(request.method), true)
  if (caller.scope === "read" && !["GET", "HEAD", "OPTIONS"].includes(request.method)) return answer(forbidden, true)
  return answer(view({ ...rest, caller, body: body.success }), true)
}

/** Answers one request at the world's current time. */
export const answer = (routes: ReadonlyArray<Route>, world: World, request: WireRequest): Answered => {
  world.requests++
  const { pathname } = request.url
  const prefix = prefixes.find((candidate) => pathname.startsWith(candidate)) ?? ""
  const path = pathname.slice(prefix.length)
  const found = find(routes, prefix === "" ? pathname : path)
  if (found !== undefined)
    return dispatch(world, request, found.route, { world, prefix, url: request.url, parameters: found.parameters })
  const slashed = path.endsWith("/") ? undefined : find(routes, prefix === "" ? `${pathname}/` : `${path}/`)
  if (slashed === undefined && !prefixes.includes(`${pathname}/`))
    return { response: framework(world, notFoundPage), delay: 0 }
  if (slashed !== undefined && prefix !== "" && named.test(path))
    return dispatch(world, request, slashed.route, { world, prefix, url: request.url, parameters: slashed.parameters })
  return { response: framework(world, movedPermanently(`${pathname}/${request.url.search}`)), delay: 0 }
}
