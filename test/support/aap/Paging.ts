/** One page of a list: `count`, and `next` and `previous` as paths with the query's parameters sorted. */
import type { Reply } from "./Reply.ts"
import { ok, problem } from "./Reply.ts"

const defaultPageSize = 25

const encode = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+")

const link = (url: URL, page: number, pageSize: number): string => {
  const kept = [...url.searchParams].filter(([name]) => name !== "page" && name !== "page_size")
  const size: ReadonlyArray<[string, string]> = url.searchParams.has("page_size")
    ? [["page_size", String(pageSize)]]
    : []
  const query = [...kept, ["page", String(page)] as const, ...size]
    .toSorted(([a], [b]) => (a === b ? 0 : a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
  return `${url.pathname}?${query.join("&")}`
}

/** Sizes above the server's limit are cut without a word; sizes that are no positive number mean the default. */
export const pageOf = <A>(url: URL, rows: ReadonlyArray<A>, maxPageSize: number, show: (row: A) => unknown): Reply => {
  const asked = Number(url.searchParams.get("page_size") ?? defaultPageSize)
  const size = Math.min(Number.isInteger(asked) && asked > 0 ? asked : defaultPageSize, maxPageSize)
  const pages = Math.max(1, Math.ceil(rows.length / size))
  const wanted = url.searchParams.get("page") ?? "1"
  const page = wanted === "last" ? pages : Number(wanted)
  if (!Number.isInteger(page) || page < 1 || page > pages) return problem(404, "Invalid page.")
  const results = rows.slice((page - 1) * size, page * size).map(show)
  if (url.searchParams.has("count_disabled")) return ok({ results })
  return ok({
    count: rows.length,
    next: page < pages ? link(url, page + 1, size) : null,
    previous: page > 1 ? link(url, page - 1, size) : null,
    results
  })
}
