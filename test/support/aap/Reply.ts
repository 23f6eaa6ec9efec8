/** Answers as the controller writes them: its headers, its error bodies, its HTML page for paths it does not know. */
import type { WireResponse } from "../Wire.ts"
import type { World } from "./World.ts"

/** An answer before the headers every answer has. `allow` is the methods of the path. */
export interface Reply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Plain text or HTML instead of JSON. */
  readonly text?: { readonly type: string; readonly body: string }
  /** Milliseconds until the answer is sent; its effect is there already. */
  readonly delay?: number
}

export const ok = (body: unknown): Reply => ({ status: 200, body })
export const problem = (status: number, detail: string): Reply => ({ status, body: { detail } })
export const forbidden = problem(403, "You do not have permission to perform this action.")
export const methodNotAllowed = (method: string): Reply => problem(405, `Method "${method}" not allowed.`)
export const unauthorized: Reply = {
  status: 401,
  body: { detail: "Authentication credentials were not provided. To establish a login session, visit /api/login/." },
  headers: { "www-authenticate": "Bearer realm=api authorization_url=/api/o/authorize/" }
}
export const wrongContentType = problem(
  415,
  "You did not use correct Content-Type in your HTTP request. If you are using our REST API, the Content-Type must be application/json"
)
export const missing = (model: string): Reply => problem(404, `No ${model} matches the given query.`)

export const notFoundPage: Reply = {
  status: 404,
  text: {
    type: "text/html; charset=utf-8",
    body: `
<!doctype html>
<html lang="en">
<head>
  <title>Not Found</title>
</head>
<body>
  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>
</body>
</html>
`
  }
}

export const movedPermanently = (location: string): Reply => ({
  status: 301,
  text: { type: "text/html; charset=utf-8", body: "" },
  headers: { location }
})

const requestId = (n: number): string => n.toString(16).padStart(32, "0")

const always = (world: World): Record<string, string> => ({
  server: "gunicorn",
  date: new Date(world.now).toUTCString(),
  "content-language": "en",
  "x-api-total-time": "0.001s",
  "x-api-request-id": requestId(world.requests),
  "access-control-expose-headers": "X-API-Request-Id"
})

/** What the framework around the API answers: no view was reached, so none of the API's own headers. */
export const framework = (world: World, reply: Reply): WireResponse => ({
  status: reply.status,
  headers: {
    ...always(world),
    "content-type": reply.text?.type ?? "text/html; charset=utf-8",
    vary: "Accept-Language, origin",
    ...reply.headers
  },
  body: reply.text?.body ?? ""
})

/** What a view answers. */
export const api = (
  world: World,
  reply: Reply,
  context: { readonly allow: string; readonly authenticated: boolean }
): WireResponse => {
  const type = reply.text?.type ?? (reply.body === undefined ? undefined : "application/json")
  return {
    status: reply.status,
    headers: {
      ...always(world),
      ...(type === undefined ? {} : { "content-type": type }),
      vary: `Accept, Accept-Language, origin${reply.status === 401 ? ", Cookie" : ""}`,
      allow: context.allow,
      ...(context.authenticated ? { "x-api-product-version": world.version } : {}),
      "x-api-product-name": "AWX",
      "x-api-node": world.node,
      "x-api-time": "0.001s",
      "x-api-query-count": "0",
      "x-api-query-time": "0.000s",
      ...reply.headers
    },
    body: reply.text?.body ?? (reply.body === undefined ? "" : JSON.stringify(reply.body))
  }
}
