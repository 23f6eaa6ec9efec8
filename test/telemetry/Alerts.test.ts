/** Alerts, dashboard and documentation speak of the metrics there are; and Prometheus itself runs the alerts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { parse, stringify } from "yaml"
import { reasons } from "../../src/domain/Reasons.ts"
import { declared } from "../../src/telemetry/Metrics.ts"
import { type Case, cases } from "./alertCases.ts"
import { isPresent, leftOut, promtool } from "./promtool.ts"

const Rules = Schema.Struct({
  spec: Schema.Struct({
    groups: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        rules: Schema.Array(
          Schema.Struct({
            alert: Schema.String,
            expr: Schema.String,
            for: Schema.optionalKey(Schema.String),
            labels: Schema.Struct({ severity: Schema.Literals(["critical", "warning"]) }),
            annotations: Schema.Struct({
              summary: Schema.NonEmptyString,
              description: Schema.NonEmptyString,
              runbook_url: Schema.String
            })
          })
        )
      })
    )
  })
})

const { spec } = Schema.decodeUnknownSync(Rules)(parse(readFileSync("k8s/components/monitoring/rules.yaml", "utf8")))
const alerts = spec.groups.flatMap(({ rules }) => rules)

const series = new Set(
  declared.flatMap(({ declaration: { name, type } }) =>
    type === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name]
  )
)

/** Names in an expression that stand before a selector or a range: metrics, and nothing else in our expressions. */
const metricsIn = (expr: string): ReadonlyArray<string> =>
  [
    ...expr.matchAll(
      /\b(?:cloudkit|controller_runtime|workqueue|rest_client|leader_election|process|nodejs)_[a-z0-9_]+/gu
    )
  ].map(([name]) => name)

/** Every text under one of the keys, however deep. */
const textsUnder = (value: unknown, keys: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (Array.isArray(value)) return value.flatMap((one) => textsUnder(one, keys))
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    keys.includes(key) && typeof inner === "string" ? [inner] : textsUnder(inner, keys)
  )
}

describe("the alerts", () => {
  it("ask for metrics that exist, and for nothing else", () => {
    for (const { alert, expr } of alerts) {
      expect(metricsIn(expr), alert).not.toEqual([])
      expect(
        metricsIn(expr).filter((name) => !series.has(name)),
        alert
      ).toEqual([])
    }
  })

  it("ask for values of labels that exist", () => {
    for (const { alert, expr } of alerts) {
      for (const [, metric = "", selectors = ""] of expr.matchAll(/([a-z_]+)\{([^}]*)\}/gu)) {
        const { labels } =
          declared.map(({ declaration }) => declaration).find(({ name }) => metric.startsWith(name)) ?? {}
        for (const [, label = "", operator = "", value = ""] of selectors.matchAll(/([a-z]+)(=~|!~|!=|=)"([^"]*)"/gu)) {
          const known = labels?.[label]
          expect(known, `${alert}: ${metric} has no label ${label}`).toBeDefined()
          const words = operator.includes("~") ? (/^[A-Za-z|]+$/u.test(value) ? value.split("|") : []) : [value]
          for (const word of words) {
            if (label === "reason") expect(Object.keys(reasons), alert).toContain(word)
            expect(known?.values.includes(word) || known?.form?.test(word), `${alert}: ${label}="${word}"`).toBe(true)
          }
        }
      }
    }
  })

  it("each have a section in docs/alerts.md that the alert links to, and no section is without an alert", () => {
    const sections = [...readFileSync("docs/alerts.md", "utf8").matchAll(/^## (.+)$/gmu)].map(([, title]) => title)
    expect(sections).toEqual(alerts.map(({ alert }) => alert))
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook_url.split("/docs/").at(-1)).toBe(`alerts.md#${alert.toLowerCase()}`)
    }
  })

  it("each have a case in which they fire and one in which they do not", () => {
    for (const { alert } of alerts) {
      const own = cases.filter((one) => one.alert === alert)
      expect([own.some(({ fires }) => fires > 0), own.some(({ fires }) => fires === 0)], alert).toEqual([true, true])
    }
    expect(cases.filter((one) => !alerts.some(({ alert }) => alert === one.alert))).toEqual([])
  })
})

const expectation = ({ alert, at, fires }: Case, labels: string) => ({
  expr: `count(ALERTS{alertname="${alert}",alertstate="firing"${labels}}) or vector(0)`,
  eval_time: `${at}m`,
  exp_samples: [{ labels: "{}", value: fires }]
})

const input = (series: Case["series"], namespace: string) =>
  Object.entries(series).map(([one, values]) => ({
    series: one.replace('namespace="n"', `namespace="${namespace}"`),
    values
  }))

/**
 * Prometheus's own unit tests of the rules. A firing alert is a series of its own, which is asked for. Cases share a
 * Prometheus, each in a namespace of its own, but for the alert that asks whether there is anything at all.
 */
const tests = () => {
  const isAlone = ({ alert }: Case) => alert === "CloudkitOperatorDown"
  const together = cases.filter((one) => !isAlone(one))
  const group = (input_series: ReadonlyArray<unknown>, promql_expr_test: ReadonlyArray<unknown>) => ({
    interval: "1m",
    input_series,
    promql_expr_test
  })
  return [
    ...cases.filter(isAlone).map((one) => group(input(one.series, "n"), [expectation(one, "")])),
    group(
      together.flatMap(({ series }, index) => input(series, `case-${index}`)),
      together.map((one, index) => expectation(one, `,namespace="case-${index}"`))
    )
  ]
}

const judged = () => {
  const folder = mkdtempSync(join(tmpdir(), "alerts-"))
  try {
    writeFileSync(join(folder, "rules.yaml"), stringify(spec))
    writeFileSync(
      join(folder, "tests.yaml"),
      stringify({ rule_files: ["rules.yaml"], evaluation_interval: "1m", tests: tests() })
    )
    return {
      check: promtool(["check", "rules", "--lint-fatal", join(folder, "rules.yaml")]),
      test: promtool(["test", "rules", join(folder, "tests.yaml")])
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("Prometheus", () => {
  if (isPresent)
    it(`accepts the rules, and each of the ${cases.length} cases ends as it should`, () => {
      const { check, test } = judged()
      expect(check.status, check.said).toBe(0)
      expect(test.status, test.said).toBe(0)
    })
  else
    it("is not here", () => {
      expect(leftOut("the alerts in a real Prometheus")).toContain("PROMTOOL")
    })
})

describe("the dashboard", () => {
  const dashboard: unknown = JSON.parse(readFileSync("k8s/components/monitoring/dashboard.json", "utf8"))
  const asked = textsUnder(dashboard, ["expr", "query"]).flatMap(metricsIn)

  it("asks for metrics that exist, and shows every one of them", () => {
    expect(asked.filter((name) => !series.has(name))).toEqual([])
    const shown = new Set(asked.map((name) => name.replace(/_(?:bucket|count|sum)$/u, "")))
    expect(declared.map(({ declaration }) => declaration.name).filter((name) => !shown.has(name))).toEqual([])
  })

  it("asks in a language that Prometheus understands", () => {
    if (!isPresent) return void leftOut("Prometheus's opinion of the dashboard's queries")
    const rules = textsUnder(dashboard, ["expr"]).map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$namespace", ".*")
    }))
    const folder = mkdtempSync(join(tmpdir(), "dashboard-"))
    try {
      writeFileSync(join(folder, "rules.yaml"), stringify({ groups: [{ name: "dashboard", rules }] }))
      const { said, status } = promtool(["check", "rules", join(folder, "rules.yaml")])
      expect(status, said).toBe(0)
      expect(rules.length).toBeGreaterThan(30)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe("the documentation", () => {
  for (const page of ["docs/alerts.md", "docs/metrics.md", "docs/troubleshooting.md"])
    it(`names metrics that exist: ${page}`, () => {
      const named = [...readFileSync(page, "utf8").matchAll(/`([a-z_]+)(?:\{[^`]*\})?`/gu)].flatMap(([, name = ""]) =>
        metricsIn(name)
      )
      const known = new Set(declared.map(({ declaration }) => declaration.name))
      expect(named.filter((name) => !known.has(name))).toEqual([])
    })
})
