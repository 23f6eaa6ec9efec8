/**
 * The linter's rules that the architecture rests on, fed with files that do not exist: who may import whom, no cycles,
 * bounded files and functions. Each rule is shown to refuse what it is there to refuse, and to let the rest pass.
 */
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"

/** file → what the linter says of it, as `rule:line` */
type Findings = ReadonlyMap<string, ReadonlyArray<string>>

const finding = /^::(?:error|warning) title=([^,]+),file=([^,]+),line=(\d+)/u

const lint = (files: ReadonlyMap<string, string>): Findings => {
  const folder = mkdtempSync(join(tmpdir(), "lint-"))
  try {
    for (const file of ["biome.imports.json", "package.json"]) cpSync(file, join(folder, file))
    const configuration: { vcs: { enabled: boolean } } = JSON.parse(readFileSync("biome.json", "utf8"))
    configuration.vcs.enabled = false
    writeFileSync(join(folder, "biome.json"), JSON.stringify(configuration))
    for (const [file, content] of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), content)
    }
    const run = spawnSync(
      resolve("node_modules/.bin/biome"),
      ["lint", "--reporter=github", "--max-diagnostics=none", "src", "test"],
      { cwd: folder, encoding: "utf8" }
    )
    const found = new Map<string, Array<string>>()
    for (const line of run.stdout.split("\n")) {
      const [, rule, file, at] = finding.exec(line) ?? []
      if (rule === undefined || file === undefined) continue
      const name = file.slice(file.indexOf(`${folder}/`) + folder.length + 1)
      found.set(name, [...(found.get(name) ?? []), `${rule.slice(rule.lastIndexOf("/") + 1)}:${at}`])
    }
    return found
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const row = (file: string, allowed: ReadonlyArray<string>, forbidden: ReadonlyArray<string>) => ({
  file,
  allowed,
  forbidden
})

/** The table of CONTRIBUTING.md, with the ways around it that come to mind. */
const table = [
  row(
    "src/domain/Subject.ts",
    ["effect", "./Job.ts"],
    [
      "effect/http",
      "effect/testing",
      "node:fs",
      "undici",
      "@effect/platform-node/NodeHttpClient",
      "@kubernetes/client-node",
      "../ports/KubernetesClient.ts",
      "../runtime/Action.ts",
      "../reconcile/act.ts",
      "../adapters/kubernetes/Events.ts",
      "../providers/registry.ts",
      "../Settings.ts",
      "../telemetry/Metrics.ts",
      "./../ports/KubernetesClient.ts",
      "src/ports/KubernetesClient.ts"
    ]
  ),
  row(
    "src/ports/Subject.ts",
    ["effect", "./Events.ts", "../domain/Job.ts"],
    ["effect/http", "node:fs", "../runtime/Action.ts", "../reconcile/act.ts", "../adapters/kubernetes/Events.ts"]
  ),
  row(
    "src/runtime/Subject.ts",
    ["effect", "./Action.ts"],
    [
      "effect/http",
      "node:fs",
      "../domain/Job.ts",
      "../ports/Events.ts",
      "../reconcile/act.ts",
      "../telemetry/Metrics.ts"
    ]
  ),
  row(
    "src/reconcile/Subject.ts",
    ["effect", "./act.ts", "../domain/Job.ts", "../ports/Events.ts", "../runtime/Action.ts", "../telemetry/Metrics.ts"],
    ["effect/http", "node:fs", "../adapters/kubernetes/Events.ts", "../providers/registry.ts", "../Settings.ts"]
  ),
  row(
    "src/adapters/kubernetes/Subject.ts",
    [
      "effect",
      "effect/http",
      "@effect/platform-node/NodeHttpClient",
      "@kubernetes/client-node",
      "node:https",
      "./Events.ts",
      "../../domain/Job.ts",
      "../../ports/Events.ts",
      "../../runtime/Leader.ts"
    ],
    [
      "@effect/platform-node",
      "../http/Health.ts",
      "../../reconcile/act.ts",
      "../../providers/aap/AapClient.ts",
      "../../Settings.ts"
    ]
  ),
  row(
    "src/providers/aap/Subject.ts",
    [
      "effect",
      "effect/http",
      "./AapClient.ts",
      "../Module.ts",
      "../../domain/Job.ts",
      "../../ports/ProvisioningProvider.ts",
      "../../settings/Variable.ts"
    ],
    [
      "@kubernetes/client-node",
      "../eda/EdaClient.ts",
      "./../eda/EdaClient.ts",
      "../registry.ts",
      "../../adapters/kubernetes/Events.ts",
      "../../reconcile/act.ts",
      "../../Settings.ts"
    ]
  ),
  row(
    "src/providers/registry.ts",
    ["effect", "./aap/AapProvider.ts", "./eda/EdaProvider.ts", "../ports/ProvisioningProvider.ts"],
    ["../reconcile/act.ts", "../adapters/kubernetes/Events.ts"]
  ),
  row(
    "src/settings/Subject.ts",
    ["effect", "./Variable.ts", "node:fs/promises"],
    ["node:fs", "../domain/Job.ts", "../providers/aap/AapSettings.ts"]
  ),
  row("src/Settings.ts", ["effect", "./settings/Variable.ts"], ["node:fs/promises", "./domain/Job.ts", "./main.ts"]),
  row(
    "src/telemetry/Subject.ts",
    ["effect", "./Metrics.ts"],
    ["node:fs", "../settings/Variable.ts", "../domain/Job.ts"]
  ),
  row(
    "src/Operator.ts",
    ["effect", "./domain/Job.ts", "./ports/Events.ts", "./reconcile/act.ts", "./runtime/Controller.ts"],
    [
      "effect/http",
      "node:fs",
      "./adapters/kubernetes/Events.ts",
      "./providers/registry.ts",
      "./main.ts",
      "./Settings.ts"
    ]
  ),
  row("src/main.ts", ["effect", "effect/http", "node:fs", "./reconcile/act.ts", "./providers/registry.ts"], [])
]

const imports = (specifiers: ReadonlyArray<string>): string =>
  specifiers.map((specifier) => `import "${specifier}"`).join("\n")

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n")

/** One file per rule that is not about folders: what is in it, and where the rule must say so. */
const habits: ReadonlyArray<readonly [rule: string, name: string, file: string, content: string, line: number]> = [
  [
    "noRestrictedImports",
    "a type import counts",
    "src/domain/A1.ts",
    'import type { A } from "../ports/A.ts"\nexport type B = A\n',
    1
  ],
  ["noRestrictedImports", "a re-export counts", "src/domain/A2.ts", 'export * from "../ports/A.ts"\n', 1],
  [
    "noRestrictedImports",
    "a dynamic import counts",
    "src/domain/A3.ts",
    'export const a = () => import("../ports/A.ts")\n',
    1
  ],
  [
    "noRestrictedImports",
    "unstable parts of effect stay in adapters",
    "src/runtime/A4.ts",
    'import { Effect, FileSystem } from "effect"\nexport const a = [Effect, FileSystem]\n',
    1
  ],
  [
    "noRestrictedGlobals",
    "time is a service",
    "src/runtime/A5.ts",
    "export const a = () => setTimeout(() => {}, 1)\n",
    1
  ],
  [
    "noRestrictedGlobals",
    "configuration is a service",
    "src/reconcile/A6.ts",
    "export const a = () => process.env\n",
    1
  ],
  ["noImportCycles", "no cycles", "src/domain/B1.ts", 'import { b } from "./B2.ts"\nexport const a = () => b\n', 1],
  [
    "noImportCycles",
    "no cycles of types either",
    "src/domain/C1.ts",
    'import type { B } from "./C2.ts"\nexport type A = { b: B }\n',
    1
  ],
  [
    "noExcessiveLinesPerFile",
    "at most 300 lines a file",
    "src/domain/Long.ts",
    lines(301, (i) => `export const a${i} = ${i}`),
    1
  ],
  [
    "noExcessiveLinesPerFunction",
    "at most 60 lines a function",
    "src/domain/Function.ts",
    `export const f = (a: number) => {\n${lines(61, () => "  f(a)")}\n}\n`,
    1
  ],
  ["noExplicitAny", "no any", "src/domain/Any.ts", "export const f = (a: any) => a\n", 1],
  [
    "noNonNullAssertion",
    "no assertion that something is there",
    "src/domain/Bang.ts",
    "export const f = (a?: string) => a!.length\n",
    1
  ],
  ["noUnsafeTypeAssertion", "no cast", "src/domain/Cast.ts", "export const f = (a: unknown) => a as string\n", 1],
  ["noConsole", "no console", "src/domain/Console.ts", "console.log(1)\n", 1],
  [
    "noSkippedTests",
    "no skipped test",
    "test/skipped.test.ts",
    'import { it } from "vitest"\nit.skip("x", () => {})\n',
    2
  ],
  [
    "noFocusedTests",
    "no focused test",
    "test/focused.test.ts",
    'import { it } from "vitest"\nit.only("x", () => {})\n',
    2
  ]
]

describe("the linter", () => {
  let found: Findings = new Map()
  let passed: Findings = new Map()
  beforeAll(() => {
    found = lint(
      new Map([
        ...table.map(({ file, forbidden }) => [file, imports(forbidden)] as const),
        ...habits.map(([, , file, content]) => [file, content] as const),
        ["src/domain/B2.ts", 'import { a } from "./B1.ts"\nexport const b = () => a\n'],
        ["src/domain/C2.ts", 'import type { A } from "./C1.ts"\nexport type B = { a?: A }\n']
      ])
    )
    passed = lint(
      new Map([
        ...table.map(({ file, allowed }) => [file, imports(allowed)] as const),
        ["src/domain/Long.ts", lines(300, (i) => `export const a${i} = ${i}`)]
      ])
    )
  })

  for (const { file, allowed, forbidden } of table) {
    it(`lets ${file} import ${allowed.join(", ")}`, () => {
      expect(passed.get(file) ?? []).toEqual([])
    })
    for (const [index, specifier] of forbidden.entries())
      it(`refuses that ${file} imports ${specifier}`, () => {
        expect(found.get(file)).toContain(`noRestrictedImports:${index + 1}`)
      })
  }

  for (const [rule, name, file, , line] of habits)
    it(`${name} (${rule})`, () => {
      expect(found.get(file)).toContain(`${rule}:${line}`)
    })

  it("lets a file of 300 lines pass", () => {
    expect(passed.get("src/domain/Long.ts")).toBeUndefined()
  })
})
