/**
 * The operator's configuration, read once from the environment through Effect's ConfigProvider.
 *
 * Guarantees: what is wrong stops the start with one message that names all of it, for the operator and for the active
 * provider at once; the other provider is there if its configuration is whole, and is never demanded; no secret is shown.
 */
import { ConfigProvider, Duration, Effect, Option, Result } from "effect"
import { type AapSettings, aapSettings, aapVariables, aapWarnings } from "./settings/AapVariables.ts"
import { type EdaSettings, edaSettings, edaSettingsToLaunch, edaVariables } from "./settings/EdaVariables.ts"
import { misspellings } from "./settings/Misspelling.ts"
import { type OperatorSettings, operatorSettings, operatorVariables } from "./settings/OperatorVariables.ts"
import { type Problem, print, SettingsError } from "./settings/Problem.ts"
import { type Declaration, NEW_PREFIX, PREFIX } from "./settings/Variable.ts"

export type { AapSettings, Declaration, EdaSettings, OperatorSettings, Problem }
export { SettingsError }

/** The providers that there are, the default first. */
const providers = ["eda", "aap"] as const

export interface Settings {
  readonly operator: OperatorSettings
  /** Absent if it is not active and not, or not wholly, configured. */
  readonly aap: Option.Option<AapSettings>
  readonly eda: Option.Option<EdaSettings>
  /** To be logged at the start. */
  readonly warnings: ReadonlyArray<string>
}

const group = (title: string, variables: Readonly<Record<string, { readonly declaration: Declaration }>>) => ({
  title,
  declarations: Object.values(variables).map(({ declaration }) => declaration)
})

/** Every variable there is, for the documentation. */
export const declarations: ReadonlyArray<{
  readonly title: string
  readonly declarations: ReadonlyArray<Declaration>
}> = [
  group("Operator", operatorVariables(providers)),
  group("AAP, provider `aap`", aapVariables),
  group("Event-Driven Ansible, provider `eda`", edaVariables)
]

const known = declarations
  .flatMap((it) => it.declarations)
  .flatMap(({ name }) => [name, name.replace(PREFIX, NEW_PREFIX)])

const problemsIn = (read: Result.Result<unknown, SettingsError>): ReadonlyArray<Problem> =>
  Result.isFailure(read) ? read.failure.problems : []

/** A provider that is not active may be left unconfigured; somebody who began to configure it should know. */
const idleWarnings = Effect.fnUntraced(function* (name: string, read: Effect.Effect<unknown, SettingsError>) {
  const problems = problemsIn(yield* Effect.result(read))
  const untouched = yield* Effect.result(
    Effect.provideService(read, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: {} }))
  )
  return problemsIn(untouched).map(print).join() === problems.map(print).join()
    ? []
    : problems.map((problem) => `provider ${name} is not active and will not be available: ${print(problem)}`)
})

/** Besides the request's own time, a launch takes at most the send window and AAP's longest request. */
const BESIDES_THE_REQUEST = Duration.seconds(10 + 125)

const quietPeriodWarnings = (operator: OperatorSettings, aap: AapSettings): ReadonlyArray<string> => {
  const least = Duration.sum(BESIDES_THE_REQUEST, aap.requestTimeout)
  return Duration.isLessThan(operator.launchQuietPeriod, least)
    ? [
        `CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD is ${Duration.format(operator.launchQuietPeriod)}, and a launch may take ${Duration.format(least)}: one whose answer was lost could be sent twice.`
      ]
    : []
}

export const loadSettings = Effect.gen(function* () {
  const chosen = yield* Effect.option(operatorVariables(providers).provider)
  const isActive = (name: string): boolean => Option.contains(chosen, name)
  const reads = { aap: aapSettings, eda: isActive("eda") ? edaSettingsToLaunch : edaSettings }

  const operator = yield* Effect.result(operatorSettings(providers))
  const aap = yield* Effect.result(reads.aap)
  const eda = yield* Effect.result(reads.eda)
  const active = Object.entries({ aap, eda }).filter(([name]) => isActive(name))
  const problems = [...problemsIn(operator), ...active.flatMap(([, read]) => problemsIn(read))]
  if (Result.isFailure(operator) || problems.length > 0) return yield* new SettingsError({ problems })

  const idle = yield* Effect.forEach(
    Object.entries(reads).filter(([name]) => !isActive(name)),
    ([name, read]) => idleWarnings(name, read)
  )
  const settings: Settings = {
    operator: operator.success,
    aap: Result.getSuccess(aap),
    eda: Result.getSuccess(eda),
    warnings: [
      ...(Result.isSuccess(aap)
        ? [...aapWarnings(aap.success), ...quietPeriodWarnings(operator.success, aap.success)]
        : []),
      ...idle.flat(),
      ...(yield* misspellings([PREFIX, NEW_PREFIX], known))
    ]
  }
  return settings
})
