/** A run of a playbook, whichever provider ran it. */
import { type LedgerJob, lifetime } from "../../test/support/SimulatedAap.ts"
import { DEPROVISION_PATH, PROVISION_PATH, type Run } from "../../test/support/SimulatedEda.ts"

/** A playbook that ran for an object. */
export interface Ran {
  /** As the record of the object should call it. */
  readonly id: string
  /** A template of AAP's, or a webhook of EDA's. */
  readonly what: string
  readonly status: string
  readonly from: number
  /** Infinite while it runs. */
  readonly to: number
}

export const ranAtAap = (job: LedgerJob): Ran => ({
  id: String(job.id),
  what: job.template,
  status: job.status,
  ...lifetime(job)
})

/** EDA numbers nothing: the record counts the calls, and each of them runs one playbook. */
export const ranAtEda = (run: Run, index: number): Ran => ({
  id: `eda-webhook-${index + 1}`,
  what: run.operation === "provision" ? PROVISION_PATH : DEPROVISION_PATH,
  status: run.outcome,
  from: run.began,
  to: run.ended ?? Number.POSITIVE_INFINITY
})
