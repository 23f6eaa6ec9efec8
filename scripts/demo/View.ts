/**
 * What is seen while it happens: on a terminal a table that is redrawn in place, in a pipe one plain line per change.
 */
import { stripVTControlCharacters, styleText } from "node:util"
import { Clock, Effect, Schedule, type Scope } from "effect"
import { stringAt } from "../../test/support/kubernetes/Json.ts"
import { conditionOf, type Line, type Observation, statusJob } from "./Observation.ts"

export type Print = (text: string) => void

type Style = Parameters<typeof styleText>[0]
const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)}s`.padStart(6)

const lineText = ({ at, key, text, voice }: Line): string =>
  `${seconds(at)}  ${voice.padEnd(6)}  ${key.padEnd(20)}  ${text}`

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`)

const colours: Readonly<Record<string, Style>> = {
  Ready: "green",
  Progressing: "yellow",
  Failed: "red",
  Deleting: "magenta",
  gone: "dim"
}

const columns = [20, 11, 18, 13, 10] as const

const rowOf = (observation: Observation, key: string): ReadonlyArray<string> => {
  const object = observation.current(key)
  const latest = observation.ran(key).at(-1)
  const status = observation.revisions(key).at(-1)
  const job = statusJob(status)
  const phase = object === undefined ? "gone" : (stringAt(object, "status", "phase") ?? "")
  const id = stringAt(job, "id")
  const said = id === undefined ? stringAt(conditionOf(object, "Ready"), "message") : stringAt(job, "message")
  return [
    key,
    phase,
    (object === undefined ? "" : stringAt(conditionOf(object, "Ready"), "reason")) ?? "",
    latest?.id ?? "",
    latest?.status ?? "",
    (object === undefined ? "" : said) ?? ""
  ]
}

const padded = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, index) => cut(cell, columns[index] ?? 200).padEnd(columns[index] ?? 0)).join("  ")

const RECENT = 10

/** One picture of everything, as lines that fit the width. */
export const frame = (observation: Observation, now: number, width: number): ReadonlyArray<string> => {
  const rows = observation.keys.map((key) => {
    const cells = rowOf(observation, key)
    return styled(colours[cells[1] ?? ""] ?? "reset", cut(padded(cells), width))
  })
  const recent = observation.journal.slice(-RECENT).map((line) => cut(lineText(line), width))
  return [
    "",
    styled("bold", cut(`cloudkit-operator at work${seconds(now - observation.startedAt)}`, width)),
    "",
    styled("dim", cut(padded(["RESOURCE", "PHASE", "REASON", "JOB", "PLAYBOOK", "STATUS SAYS"]), width)),
    ...rows,
    "",
    ...recent.map((line) => styled("dim", line)),
    ...Array.from({ length: RECENT - recent.length }, () => "")
  ]
}

const redrawn = (observation: Observation, print: Print) => {
  let drawn = 0
  return (now: number) => {
    const whole = frame(observation, now, Math.max(40, process.stdout.columns ?? 100))
    // what has scrolled away cannot be drawn over
    const lines = whole.slice(0, Math.max(5, (process.stdout.rows ?? 50) - 1))
    const up = drawn === 0 ? "" : `\u001B[${drawn}A`
    drawn = lines.length
    print(`${up}${lines.map((line) => `\u001B[2K${line}`).join("\n")}\n`)
  }
}

const appended = (observation: Observation, print: Print, from: number) => {
  let printed = from
  return () => {
    for (const line of observation.journal.slice(printed)) print(`${lineText(line)}\n`)
    printed = observation.journal.length
  }
}

const shown = (draw: (now: number) => void): Effect.Effect<void, never, Scope.Scope> => {
  const once = Effect.map(Clock.currentTimeMillis, draw)
  return Effect.andThen(
    Effect.addFinalizer(() => once),
    Effect.asVoid(Effect.forkScoped(Effect.repeat(once, Schedule.spaced("150 millis"))))
  )
}

/** Shows what happens until the scope closes, and then how it all stands. */
export const show = (observation: Observation, terminal: boolean, print: Print) =>
  shown(terminal ? redrawn(observation, print) : appended(observation, print, 0))

/** Prints a line for everything that happens from now on. */
export const printChanges = (observation: Observation, print: Print) =>
  shown(appended(observation, print, observation.journal.length))

export const good = (text: string): string => styled("green", text)
export const bad = (text: string): string => styled("red", text)
export const strong = (text: string): string => styled("bold", text)
export const widthOf = (text: string): number => stripVTControlCharacters(text).length
