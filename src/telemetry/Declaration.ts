/**
 * A metric, declared once with everything that is known of it, and written through its declaration only.
 *
 * Guarantees: labels are bounded. A value that a label does not list (or whose form it does not allow) is counted as
 * `other`, so that no name of an object, no id and no word of a foreign system ever becomes a time series.
 */
import { Effect, Metric, type Scope } from "effect"

export interface Label {
  readonly meaning: string
  /** The values there are, or examples of them where there is a form. */
  readonly values: ReadonlyArray<string>
  /** The form of further values, of which there are few. */
  readonly form?: RegExp
}

type Labels = Readonly<Record<string, Label>>
type Given<L extends Labels> = { readonly [Name in keyof L]: string }

interface About<L extends Labels> {
  readonly name: string
  readonly help: string
  readonly labels: L
}

/** What documentation, dashboards and alerts need to know. */
export interface Declaration extends About<Labels> {
  readonly type: "counter" | "gauge" | "histogram"
}

export interface Declared {
  readonly declaration: Declaration
  /** Makes its series known with the value 0, as far as their labels can be listed: a rate needs a first value. */
  readonly register: Effect.Effect<void>
}

export interface Counter<L extends Labels> extends Declared {
  readonly add: (labels: Given<L>, amount?: number) => Effect.Effect<void>
  /** A count that is kept elsewhere: read whenever somebody looks, for as long as the scope lives. */
  readonly reads: (labels: Given<L>, value: () => number) => Effect.Effect<void, never, Scope.Scope>
}

export interface Gauge<L extends Labels> extends Declared {
  readonly set: (labels: Given<L>, value: number) => Effect.Effect<void>
  /** A value that is kept elsewhere: read whenever somebody looks, for as long as the scope lives. */
  readonly reads: (labels: Given<L>, value: () => number) => Effect.Effect<void, never, Scope.Scope>
}

export interface Histogram<L extends Labels> extends Declared {
  readonly observe: (labels: Given<L>, value: number) => Effect.Effect<void>
}

/** What is counted under no value of its own. */
export const OTHER = "other"

const bounded = (label: Label, value: string): string =>
  label.values.includes(value) || label.form?.test(value) === true ? value : OTHER

/** Every combination of listed values; none where a label also allows others. */
const combinations = (labels: Labels): ReadonlyArray<Readonly<Record<string, string>>> =>
  Object.entries(labels).reduce<ReadonlyArray<Readonly<Record<string, string>>>>(
    (some, [name, label]) =>
      label.form === undefined ? some.flatMap((one) => label.values.map((value) => ({ ...one, [name]: value }))) : [],
    [{}]
  )

const family = <Input, State>(labels: Labels, metric: Metric.Metric<Input, State>) => {
  const members = new Map<string, Metric.Metric<Input, State>>()
  const named = Object.entries(labels)
  const member = (given: Readonly<Record<string, string>>): Metric.Metric<Input, State> => {
    const values = named.map(([name, label]) => [name, bounded(label, given[name] ?? "")] as const)
    const key = values.map(([, value]) => value).join("\n")
    const known = members.get(key)
    if (known !== undefined) return known
    const fresh = Metric.withAttributes(metric, Object.fromEntries(values))
    members.set(key, fresh)
    return fresh
  }
  // whoever asks for the value of a series makes it known
  const register = Effect.forEach(combinations(labels), (given) => Metric.value(member(given)), { discard: true })
  const reads = (given: Readonly<Record<string, string>>, get: () => State) =>
    Effect.asVoid(
      Effect.acquireRelease(
        Effect.map(Effect.context<never>(), (context) =>
          Metric.registerUnsafe(member(given), context, { get, update: () => {}, modify: () => {} })
        ),
        (registration) => Effect.sync(registration.remove)
      )
    )
  return { member, register, reads }
}

export const counter = <const L extends Labels>(about: About<L>): Counter<L> => {
  const metric = Metric.counter(about.name, { description: about.help, incremental: true })
  const { member, register, reads } = family(about.labels, metric)
  return {
    declaration: { ...about, type: "counter" },
    register,
    add: (labels, amount = 1) => Metric.update(member(labels), amount),
    reads: (labels, value) => reads(labels, () => ({ count: value(), incremental: true }))
  }
}

export const gauge = <const L extends Labels>(about: About<L>): Gauge<L> => {
  const { member, register, reads } = family(about.labels, Metric.gauge(about.name, { description: about.help }))
  return {
    declaration: { ...about, type: "gauge" },
    register,
    set: (labels, value) => Metric.update(member(labels), value),
    reads: (labels, value) => reads(labels, () => ({ value: value() }))
  }
}

export const histogram = <const L extends Labels>(
  about: About<L> & { readonly boundaries: ReadonlyArray<number> }
): Histogram<L> => {
  const { boundaries, ...rest } = about
  const metric = Metric.histogram(about.name, { description: about.help, boundaries })
  const { member, register } = family(about.labels, metric)
  return {
    declaration: { ...rest, type: "histogram" },
    register,
    observe: (labels, value) => Metric.update(member(labels), value)
  }
}
