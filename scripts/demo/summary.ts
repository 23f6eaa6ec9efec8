/** The last words: a table of what was shown and how it came out, and of what it cost in requests. */
import type { Counts, Requests } from "./requests.ts"
import { bad, good, strong, widthOf } from "./View.ts"

export interface Verdict {
  readonly title: string
  readonly shows: string
  /** What ran, in the order in which it did. */
  readonly ran: string
  /** What is not as it should be. */
  readonly findings: ReadonlyArray<string>
}

const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)))

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ""))))
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

const verdictTable = (verdicts: ReadonlyArray<Verdict>, by: string): string =>
  table([
    ["STORY", "SHOWS", `${by.toUpperCase()} RAN`, "RESULT"].map(strong),
    ...verdicts.map(({ findings, ran, shows, title }) => [
      title,
      shows,
      ran,
      findings.length === 0 ? good("ok") : bad("NOT AS IT SHOULD BE")
    ])
  ])

const countRows = (name: string, counts: Counts): ReadonlyArray<ReadonlyArray<string>> =>
  [...counts].filter(([, count]) => count > 0).map(([kind, count]) => [name, kind, String(count)])

/** Where webhooks are called, that nothing else was asked is worth a line. */
const edaRows = (counts: Counts): ReadonlyArray<ReadonlyArray<string>> => {
  const rows = countRows("EDA", counts)
  return rows.length === 0 || counts.get("status") !== 0 ? rows : [...rows, ["EDA", "status", "0"]]
}

const requestTable = ({ aap, eda, kubernetes }: Requests): string =>
  table([
    ["REQUESTS TO", "KIND", "COUNT"].map(strong),
    ...countRows("Kubernetes", kubernetes),
    ...countRows("AAP", aap),
    ...edaRows(eda)
  ])

export interface Outcome {
  readonly verdicts: ReadonlyArray<Verdict>
  readonly requests: Requests
  /** Who ran playbooks. */
  readonly by: string
  readonly elapsed: number
}

export const summary = ({ by, elapsed, requests, verdicts }: Outcome): string => {
  const wrong = verdicts.filter(({ findings }) => findings.length > 0)
  const took = `${(elapsed / 1000).toFixed(0)} s`
  const last =
    wrong.length === 0
      ? good(`Everything came out as it should, in ${took}.`)
      : bad(`${wrong.length} of ${verdicts.length} did not come out as they should, in ${took}:`)
  const findings = wrong.flatMap((verdict) => verdict.findings.map((finding) => `  ${verdict.title}: ${finding}`))
  return ["", verdictTable(verdicts, by), "", requestTable(requests), "", last, ...findings, ""].join("\n")
}
