/** What the pipeline needs to know of the configuration. All durations in milliseconds. */
import { Context } from "effect"
import type { Limits } from "../domain/Decision.ts"

export interface ReconcileSettings extends Limits {
  /** How long a launch is looked for before it is believed not to have happened. */
  readonly quietPeriod: number
  /** How long after the intent was begun to be written the launch may still leave. */
  readonly sendWindow: number
  /** How often what no event announces is looked at again: a cancel, an open intent. */
  readonly pollInterval: number
  readonly maxJobHistory: number
}

export class Settings extends Context.Service<Settings, ReconcileSettings>()("cloudkit-operator/reconcile/Settings") {}
