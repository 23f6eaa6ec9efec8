/**
 * What lies between the operator and the simulators in a schedule: watches that lose, repeat and swap their events, reads
 * that are answered from the past, and clocks that disagree.
 */
import { Effect, Stream } from "effect"
import type { WireHandler, WireRequest, WireResponse } from "./Wire.ts"

export const watchHarms = ["drop", "duplicate", "swap", "stale", "disconnect", "stall", "compact"] as const
export type WatchHarm = (typeof watchHarms)[number]
/** What is done to single events of a watch, or to a list. */
export type Mangling = "drop" | "duplicate" | "swap" | "stale"

const isOurs = ({ headers, url }: WireRequest): boolean =>
  url.pathname.includes("/computeinstances") && headers["user-agent"] !== "kubectl"
const isWatch = (request: WireRequest): boolean => isOurs(request) && request.url.searchParams.has("watch")
const isList = (request: WireRequest): boolean =>
  isOurs(request) && request.method === "GET" && request.url.pathname.endsWith("/computeinstances") && !isWatch(request)

/** Harms wait for the next event or list each, and are counted when they strike. */
const makeManglings = () => {
  const waiting: Array<Mangling> = []
  let struck = 0
  return {
    add: (mangling: Mangling) => void waiting.push(mangling),
    take: (wanted: (mangling: Mangling) => boolean): Mangling | undefined => {
      const index = waiting.findIndex(wanted)
      if (index === -1) return undefined
      struck += 1
      return waiting.splice(index, 1)[0]
    },
    clear: () => void waiting.splice(0),
    struck: () => struck
  }
}

/** The lines of one watch as they come through. */
const mangler = (take: () => Mangling | undefined) => {
  let held: string | undefined
  return (line: string): ReadonlyArray<string> => {
    const before = held
    held = undefined
    if (line.startsWith('{"type":"BOOKMARK"')) return before === undefined ? [line] : [before, line]
    const mangling = take()
    const later = before === undefined ? [] : [before]
    if (mangling === "drop") return later
    if (mangling === "duplicate") return [line, line, ...later]
    if (mangling === "swap" && before === undefined) {
      held = line
      return []
    }
    return [line, ...later]
  }
}

const throughout = (response: WireResponse, change: (text: string) => string): WireResponse => ({
  ...response,
  body: typeof response.body === "string" ? change(response.body) : Stream.map(response.body, change)
})

/** An RFC 3339 time moved by so many seconds, in the form in which it came. */
const moved = (time: string, seconds: number): string => {
  const millis = Date.parse(time)
  if (Number.isNaN(millis)) return time
  const text = new Date(millis + seconds * 1_000).toISOString()
  return /\.\d+Z$/u.test(time) ? text.replace("Z", "000Z") : `${text.slice(0, 19)}Z`
}

const stamps = {
  aap: /"(created|modified|started|finished|canceled_on)":\s*"([^"]+)"/gu,
  cluster: /"(creationTimestamp|deletionTimestamp)":\s*"([^"]+)"/gu
}

const restamped = (response: WireResponse, pattern: RegExp, seconds: number): WireResponse =>
  seconds === 0
    ? response
    : throughout(response, (text) =>
        text.replace(pattern, (_, name: string, time: string) => `"${name}": "${moved(time, seconds)}"`)
      )

/** AAP is asked in its own time, too. */
const asked = (request: WireRequest, seconds: number): WireRequest => {
  if (seconds === 0) return request
  const url = new URL(request.url)
  for (const name of ["created__gte", "created__lte", "not__finished__lt"]) {
    const time = url.searchParams.get(name)
    if (time !== null) url.searchParams.set(name, moved(time, -seconds))
  }
  return { ...request, url }
}

export const makeNetwork = () => {
  const manglings = makeManglings()
  const ahead = { aap: 0, cluster: 0 }
  /** The versions of the cluster at which lists were made, to be answered from again. */
  const past: Array<string> = []

  /** A list as a server whose cache is behind would answer it. */
  const stale = (request: WireRequest): WireRequest => {
    const version = past.at(-1)
    if (version === undefined || manglings.take((one) => one === "stale") === undefined) return request
    const url = new URL(request.url)
    url.searchParams.set("resourceVersion", version)
    url.searchParams.set("resourceVersionMatch", "Exact")
    return { ...request, url }
  }

  const noted = (response: WireResponse): WireResponse => {
    const version = /"resourceVersion":\s*"(\d+)"/u.exec(typeof response.body === "string" ? response.body : "")?.[1]
    if (version !== undefined) past.push(version)
    return response
  }

  const kubernetes =
    (inner: WireHandler): WireHandler =>
    (request) => {
      if (!isOurs(request)) return inner(request)
      if (isList(request)) {
        // an answer from the past may be too old, and then there is the present
        return Effect.flatMap(inner(stale(request)), (response) =>
          response.status === 410 ? inner(request) : Effect.succeed(noted(response))
        ).pipe(Effect.map((response) => restamped(response, stamps.cluster, ahead.cluster)))
      }
      return Effect.map(inner(request), (response) => {
        if (!isWatch(request) || typeof response.body === "string") {
          return restamped(response, stamps.cluster, ahead.cluster)
        }
        const mangle = mangler(() => manglings.take((one) => one !== "stale"))
        const body = Stream.flatMap(response.body, (line) => Stream.fromIterable(mangle(line)))
        return restamped({ ...response, body }, stamps.cluster, ahead.cluster)
      })
    }

  const aap =
    (inner: WireHandler): WireHandler =>
    (request) =>
      Effect.map(inner(asked(request, ahead.aap)), (response) => restamped(response, stamps.aap, ahead.aap))

  return {
    kubernetes,
    aap,
    mangle: manglings.add,
    struck: manglings.struck,
    setAhead: (of: "aap" | "cluster", seconds: number) => {
      ahead[of] = seconds
    },
    heal: () => manglings.clear()
  }
}
export type Network = ReturnType<typeof makeNetwork>
