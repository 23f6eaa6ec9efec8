/** A list view: select, order, page. */
import { Result } from "effect"
import { pageOf } from "./Paging.ts"
import { type Model, select } from "./Query.ts"
import { problem, type Reply } from "./Reply.ts"
import type { Call } from "./Routes.ts"

export const list = <A>(call: Call, model: Model<A>, rows: ReadonlyArray<A>, show: (row: A) => unknown): Reply =>
  Result.match(select(model, rows, call.url.searchParams), {
    onFailure: ({ status, detail }) => problem(status, detail),
    onSuccess: (found) => pageOf(call.url, found, call.world.maxPageSize, show)
  })
