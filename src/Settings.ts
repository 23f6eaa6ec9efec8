/**
 * The operator's configuration, read once from the environment through Effect's ConfigProvider.
 *
 * Guarantees: what is wrong stops the start with one message that names all of it, for the operator and for the active
 * provider at once; other providers are there if their configuration is whole, and are never demanded; no secret is shown.
 */
import { ConfigProvider, Effect, Option, Result } from "effect"
import type { Configured, ProviderModule } from "./providers/Module.ts"
import { misspellings } from "./settings/Misspelling.ts"
import { type OperatorSettings, operatorSettings, operatorVariables } from "./settings/OperatorVariables.ts"
import { type Problem, print, SettingsError } from "./settings/Problem.ts"
import { type Declaration, NEW_PREFIX, PREFIX } from "./settings/Variable.ts"

type Modules = readonly [ProviderModule, ...ReadonlyArray<ProviderModule>]

export interface Settings {
  readonly operator: OperatorSettings
  /** Every provider that is wholly configured; the active one among them. */
  readonly providers: ReadonlyArray<{ readonly name: string; readonly configured: Configured }>
  /** To be logged at the start. */
  readonly warnings: ReadonlyArray<string>
}

export interface Group {
  readonly title: string
  readonly declarations: ReadonlyArray<Declaration>
}

const namesOf = ([first, ...others]: Modules): readonly [string, ...ReadonlyArray<string>] => [
  first.name,
  ...others.map(({ name }) => name)
]

const group = (title: string, variables: ProviderModule["variables"]): Group => ({
  title,
  declarations: Object.values(variables).map(({ declaration }) => declaration)
})

/** Every variable there is, for the documentation. */
export const declarationsOf = (modules: Modules): ReadonlyArray<Group> => [
  group("Operator", operatorVariables(namesOf(modules))),
  ...modules.map(({ title, variables }) => group(title, variables))
]

const known = (modules: Modules): ReadonlyArray<string> =>
  declarationsOf(modules)
    .flatMap((it) => it.declarations)
    .flatMap(({ name }) => [name, name.replace(PREFIX, NEW_PREFIX)])

const problemsIn = (read: Result.Result<unknown, SettingsError>): ReadonlyArray<Problem> =>
  Result.isFailure(read) ? read.failure.problems : []

/** A provider that is not active may be left unconfigured; somebody who began to configure it should know. */
const idleWarnings = Effect.fnUntraced(function* (module: ProviderModule, problems: ReadonlyArray<Problem>) {
  const untouched = yield* module
    .configure(false)
    .pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: {} })), Effect.result)
  return problemsIn(untouched).map(print).join() === problems.map(print).join()
    ? []
    : problems.map((problem) => `provider ${module.name} is not active and will not be available: ${print(problem)}`)
})

/** Reads the configuration of the operator and of the given providers, the first of which is the default. */
export const loadSettings = Effect.fnUntraced(function* (modules: Modules) {
  const names = namesOf(modules)
  const chosen = yield* Effect.option(operatorVariables(names).provider)
  const isActive = (name: string): boolean => Option.contains(chosen, name)

  const operator = yield* Effect.result(operatorSettings(names))
  const reads = yield* Effect.forEach(modules, (module) =>
    Effect.map(Effect.result(module.configure(isActive(module.name))), (read) => ({ module, read }))
  )
  const problems = [
    ...problemsIn(operator),
    ...reads.flatMap(({ module, read }) => (isActive(module.name) ? problemsIn(read) : []))
  ]
  if (Result.isFailure(operator) || problems.length > 0) return yield* new SettingsError({ problems })

  const idle = yield* Effect.forEach(
    reads.filter(({ module }) => !isActive(module.name)),
    ({ module, read }) => idleWarnings(module, problemsIn(read))
  )
  const providers = reads.flatMap(({ module, read }) =>
    Result.isSuccess(read) ? [{ name: module.name, configured: read.success }] : []
  )
  const settings: Settings = {
    operator: operator.success,
    providers,
    warnings: [
      ...providers.flatMap(({ configured }) => configured.warnings(operator.success)),
      ...idle.flat(),
      ...(yield* misspellings([PREFIX, NEW_PREFIX], known(modules)))
    ]
  }
  return settings
})
