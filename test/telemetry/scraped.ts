/** What Prometheus would read: the text of a scrape, taken apart. */
import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"

export interface Scrape {
  readonly text: string
  /** Families by name, with their type. */
  readonly families: ReadonlyMap<string, string>
  /** `name{label="value",…}` → value. */
  readonly samples: ReadonlyMap<string, number>
}

export const read = (text: string): Scrape => {
  const families = new Map<string, string>()
  const samples = new Map<string, number>()
  for (const line of text.split("\n")) {
    const [, name = "", type = ""] = /^# TYPE (\S+) (\S+)$/u.exec(line) ?? []
    if (name !== "") families.set(name, type)
    const [, series = "", value = ""] = /^([a-z][^ ]*(?: [^ ]+)*) (\S+)$/u.exec(line) ?? []
    if (series !== "" && !line.startsWith("#")) samples.set(series, Number(value === "+Inf" ? Infinity : value))
  }
  return { text, families, samples }
}

export const scrape: Effect.Effect<Scrape> = Effect.map(PrometheusMetrics.format(), read)

/** Runs with metrics of its own. */
export const isolated = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

export const valueIn = ({ samples }: Scrape, series: string): number | undefined => samples.get(series)
