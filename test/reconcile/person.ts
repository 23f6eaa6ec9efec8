/** Jobs that come into being at AAP without the operator under test: by a person, or by another process of ours. */
import { Effect } from "effect"
import type { LedgerJob } from "../support/SimulatedAap.ts"
import { settled, type World } from "../support/World.ts"

const post = (world: World, token: string, path: string, body: unknown) =>
  settled(
    world.aap
      .handler({
        method: "POST",
        url: new URL(`/api/v2/${path}`, "https://aap.test"),
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "user-agent": "browser" },
        body: JSON.stringify(body)
      })
      .pipe(
        Effect.orDie,
        Effect.flatMap(({ status, body: answer }) =>
          status < 300 ? Effect.void : Effect.die(new Error(`POST ${path} was answered ${status}: ${String(answer)}`))
        )
      )
  )

const newest = (world: World): Effect.Effect<LedgerJob> =>
  Effect.flatMap(world.aap.ledger, (ledger) => Effect.orDie(Effect.fromNullishOr(ledger.at(-1))))

/** Launches the job's template once more with the very variables of the job, as another process of ours would. */
export const launchAgain = (world: World, job: LedgerJob) =>
  Effect.andThen(
    post(world, "operator-token", `job_templates/${job.templateId}/launch/`, { extra_vars: job.extraVars }),
    newest(world)
  )

export const launchByHand = (world: World, templateId: number, extraVars: unknown) =>
  Effect.andThen(
    post(world, "admin-token", `job_templates/${templateId}/launch/`, { extra_vars: extraVars }),
    newest(world)
  )

/** The button "relaunch". */
export const relaunch = (world: World, job: LedgerJob) =>
  Effect.andThen(post(world, "admin-token", `jobs/${job.id}/relaunch/`, {}), newest(world))
