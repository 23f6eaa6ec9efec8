/**
 * Where AAP's API is, out of what people write into `CLOUDKIT_AAP_URL`: a host, a web address, or the API's own address,
 * each with or without a trailing slash.
 *
 * Paths are built here once, always with the trailing slash that AAP insists on: without it a POST is answered by a
 * redirect, which most clients repeat as a GET.
 */
import { Result } from "effect"

export interface BaseUrl {
  /** Scheme, host and port, without a slash at the end. */
  readonly origin: string
  /** `/api/v2/` (AWX, AAP up to 2.4) or `/api/controller/v2/` (the gateway), below whatever path a proxy adds. */
  readonly prefix: string
}

const prefixOf = (path: string): string => {
  const bare = path.replace(/\/+$/u, "")
  if (bare.endsWith("/v2")) return `${bare}/`
  if (bare.endsWith("/api") || bare.endsWith("/api/controller")) return `${bare}/v2/`
  return `${bare}/api/v2/`
}

const expected = "expected a host such as aap.example.com, or a URL such as https://aap.example.com/api/controller/v2/"

/** What the variable is taken to be, or why it cannot be meant. The text itself is not repeated: it may hold a password. */
export const parse = (text: string): Result.Result<BaseUrl, string> => {
  const trimmed = text.trim()
  const address = /^[a-z][a-z0-9+.-]*:\/\//iu.test(trimmed) ? trimmed : `https://${trimmed}`
  const url = URL.parse(address)
  if (trimmed === "" || url === null) return Result.fail(`it is not a URL; ${expected}`)
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return Result.fail(`${url.protocol.slice(0, -1)} is not spoken by AAP; ${expected}`)
  }
  if (url.username !== "" || url.password !== "") {
    return Result.fail(`it holds a user name or password; use a token instead, and ${expected}`)
  }
  if (url.search !== "" || url.hash !== "") return Result.fail(`it has a query or a fragment; ${expected}`)
  return Result.succeed({ origin: url.origin, prefix: prefixOf(url.pathname) })
}

/** The address of the API's root, for people. */
export const print = (base: BaseUrl): string => `${base.origin}${base.prefix}`

/** The address of a resource: `at(base, "jobs/7/cancel", {})`. Empty parameters leave no question mark behind. */
export const at = (base: BaseUrl, resource: string, query: ReadonlyArray<readonly [string, string]> = []): string => {
  const parameters = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString()
  return `${base.origin}${base.prefix}${resource}/${parameters === "" ? "" : `?${parameters}`}`
}
