/**
 * The launch itself: what is sent, and what is made of the answer.
 *
 * Guarantees: sent once, never repeated; a failure says `applied: "no"` only where it is certain; an answer that cannot be
 * read is still a job if it says where the job is.
 */
import { Effect, Option } from "effect"
import type { ProviderError } from "../../ports/ProviderError.ts"
import type { LaunchedJob, Order } from "../../ports/ProvisioningProvider.ts"
import type { AapClient, LaunchAnswer } from "./AapClient.ts"
import { MalformedJson } from "./AapError.ts"
import { stateOf } from "./JobStates.ts"
import { plain } from "./PlainText.ts"
import { toProviderError } from "./ProviderErrors.ts"
import type { Template } from "./Templates.ts"
import { type JobKind, jobKind } from "./Wire.ts"

/** The envelope that playbooks know from Event-Driven Ansible, with our key where it has the id of an event. */
const bodyOf = (order: Order) => ({
  extra_vars: {
    ansible_eda: {
      event: {
        payload: order.payload,
        meta: {
          uuid: order.key,
          stamp: order.stamp,
          received_at: order.stamp,
          source: { name: "cloudkit-operator", type: "cloudkit-operator" }
        }
      }
    }
  }
})

const located = (location: string): { readonly id: string; readonly kind: JobKind } | undefined => {
  const [, collection, id] = /\/(jobs|workflow_jobs)\/(\d+)\/?$/u.exec(location) ?? []
  return id === undefined ? undefined : { id, kind: collection === "jobs" ? "job" : "workflow_job" }
}

/** A template that is launched in slices makes a workflow job: the answer decides, not what was launched. */
const kindOf = (answer: LaunchAnswer): JobKind | undefined =>
  jobKind(answer.type) ??
  (answer.workflow_job !== undefined ? "workflow_job" : answer.job !== undefined ? "job" : undefined)

const unusable = (template: Template, answer: LaunchAnswer): LaunchedJob["unusable"] => {
  const ignored = Object.keys(answer.ignored_fields ?? {}).sort()
  return ignored.length === 0
    ? Option.none()
    : Option.some({
        reason: "TemplateRefusesVariables",
        message: plain(
          `Template '${template.name}' ignored ${ignored.join(", ")}, so that the job runs without the resource: switch on 'Prompt on launch' for its variables`
        )
      })
}

/** The job that an answer tells of. */
const launchedJob = (template: Template, answer: LaunchAnswer): LaunchedJob | undefined => {
  const traced = located(answer.location)
  const number = answer.id ?? answer.workflow_job ?? answer.job
  const id = number === undefined ? traced?.id : String(number)
  if (id === undefined) return undefined
  const stated = answer.status === undefined ? { state: "Pending" as const, detail: "" } : stateOf(answer.status)
  return { id, kind: kindOf(answer) ?? traced?.kind, ...stated, unusable: unusable(template, answer) }
}

export const launch = (
  client: AapClient["Service"],
  template: Template,
  order: Order
): Effect.Effect<LaunchedJob, ProviderError> =>
  client.launch(template.kind, template.id, bodyOf(order)).pipe(
    Effect.flatMap((answer) => {
      const job = launchedJob(template, answer)
      return job === undefined ? Effect.fail(new MalformedJson({ status: 201, detail: "" })) : Effect.succeed(job)
    }),
    Effect.mapError(toProviderError({ operation: "launch", launch: true, template: template.name }))
  )
