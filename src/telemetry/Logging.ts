/**
 * How the operator speaks to machines and people who read its output: one JSON object a line, or words for a terminal.
 *
 * Every line has `ts`, `level` and `msg`; structured fields stand beside them. A cause is kept whole, under `error`.
 */
import { Cause, Context, type Fiber, Layer, Logger, type LogLevel, Option, References, Tracer } from "effect"

export type LogFormat = "json" | "pretty"

const isFields = (part: unknown): part is Readonly<Record<string, unknown>> =>
  typeof part === "object" && part !== null && !Array.isArray(part) && !Cause.isCause(part)

const messageOf = (parts: ReadonlyArray<unknown>): string =>
  parts.filter((part) => !isFields(part) && !Cause.isCause(part)).join(" ")

/** Control characters would let a message forge lines or move the cursor; newlines of a cause stay escaped by JSON. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, " ")

const isTraced = /^[0-9a-f]{32}$/u

/** Where the line belongs to in the traces, if there are any. */
const traceOf = (fiber: Fiber.Fiber<unknown, unknown>): Readonly<Record<string, string>> => {
  const span = Option.getOrUndefined(Context.getOption(fiber.context, Tracer.ParentSpan))
  return span !== undefined && isTraced.test(span.traceId) ? { trace_id: span.traceId, span_id: span.spanId } : {}
}

const json = Logger.make<unknown, void>(({ cause, date, fiber, logLevel, message }) => {
  const parts = Array.isArray(message) ? message : [message]
  const given = parts.filter(Cause.isCause)
  const error = [...given, cause].filter((one) => one.reasons.length > 0).map((one) => Cause.pretty(one))
  process.stdout.write(
    `${JSON.stringify({
      ts: date.toISOString(),
      level: logLevel.toLowerCase(),
      msg: printable(messageOf(parts)),
      ...Object.assign({}, ...parts.filter(isFields)),
      ...fiber.getRef(References.CurrentLogAnnotations),
      ...traceOf(fiber),
      ...(error.length === 0 ? {} : { error: error.join("\n") })
    })}\n`
  )
})

/** The logger of the process. */
export const logging = (format: LogFormat, level: LogLevel.LogLevel): Layer.Layer<never> =>
  Layer.merge(
    Logger.layer([format === "json" ? json : Logger.consolePretty()]),
    Layer.succeed(References.MinimumLogLevel, level)
  )
