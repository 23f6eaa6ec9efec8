/**
 * The operator's configuration, read once from the environment through Effect's ConfigProvider.
 *
 * Guarantees: what is wrong stops the start with one message that names all of it, for the operator and for the active
 * provider at once; the other provider is there if its configuration is whole, and is never demanded; no secret is shown.
 */
import { Duration, Effect, Option, Result } from "effect"
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

/** A provider that is not active may be unconfigured, but somebody who began to configure it should know. */
const idle = (name: string, variables: ReadonlyArray<string>, given: ReadonlyArray<Problem>): ReadonlyArray<string> => {
  const begun = given.some((problem) => problem.kind !== "Missing") || given.length < variables.length
  return begun ? given.map((problem) => `provider ${name} cannot be used: ${print(problem)}`) : []
}

/** A launch can be under way for this long after its intent was written: the send window, and AAP's longest request. */
const LONGEST_LAUNCH = Duration.seconds(10 + 125)

const quietPeriodWarning = (operator: OperatorSettings, aap: Option.Option<AapSettings>): ReadonlyArray<string> => {
  if (Option.isNone(aap)) return []
  const least = Duration.sum(LONGEST_LAUNCH, aap.value.requestTimeout)
  return Duration.isLessThan(operator.launchQuietPeriod, least)
    ? [
        `CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD is ${Duration.format(operator.launchQuietPeriod)}, less than the ${Duration.format(least)} that a launch may take: a launch whose answer was lost could be sent twice.`
      ]
    : []
}
