/**
 * A controller (AWX, AAP) as its REST clients see it, in memory and on the test's own clock.
 *
 * `handler` answers HTTP as the recordings in `test/fixtures/awx` do. Jobs follow the `Playbook` that `play` decides at
 * their launch; nothing runs in the background, every look brings the world up to the clock, so hours under `TestClock`
 * cost milliseconds and two runs are equal. `ledger` is the ground truth, unseen by any client, and what tests assert on.
 *
 * Faults of the wire are not in here: wrap `handler` with `withFaults`.
 */
import { Clock, Effect } from "effect"
import { jobRoutes } from "./aap/JobRoutes.ts"
import { type LedgerJob, ledgerOf } from "./aap/Ledger.ts"
import { advance, force } from "./aap/Lifecycle.ts"
import { rootRoutes } from "./aap/RootRoutes.ts"
import { answer } from "./aap/Routes.ts"
import { addTemplate, addUser, type Options, type TemplateOptions, type UserOptions, worldOf } from "./aap/Setup.ts"
import { templateRoutes } from "./aap/TemplateRoutes.ts"
import { isTerminal, type Job, type Launch, type Playbook, type Role, type Template } from "./aap/World.ts"
import type { WireHandler } from "./Wire.ts"

export { type LedgerJob, lifetime, overlaps } from "./aap/Ledger.ts"
export type { Options, TemplateOptions, UserOptions } from "./aap/Setup.ts"
export type { Launch, Playbook, Role } from "./aap/World.ts"
export { defaultPlaybook } from "./aap/World.ts"

export interface SimulatedAap {
  readonly handler: WireHandler
  /** Every job row ever made, oldest first, as things stand now. */
  readonly ledger: Effect.Effect<ReadonlyArray<LedgerJob>>
  /** How jobs launched from now on will behave. */
  readonly play: (decide: (launch: Launch) => Playbook) => Effect.Effect<void>
  /** Takes a row out of the database, as retention does. The ledger keeps it, and a live job lives on unseen. */
  readonly purge: (id: number) => Effect.Effect<void>
  /** Changes a row behind everybody's back; the job then stays as it is until it is cancelled or set again. */
  readonly setStatus: (id: number, status: string, explanation?: string) => Effect.Effect<void>
  /** The database is lost: jobs die, their rows are gone, and ids start again. Templates, users and tokens stay. */
  readonly rebuild: Effect.Effect<void>
  readonly addTemplate: (template: TemplateOptions) => Effect.Effect<number>
  /** By id or name; of several with one name, all. */
  readonly removeTemplate: (template: number | string) => Effect.Effect<void>
  readonly renameTemplate: (template: number | string, name: string) => Effect.Effect<void>
  readonly addUser: (user: UserOptions) => Effect.Effect<number>
  readonly setUserRoles: (user: string, roles: ReadonlyArray<Role>) => Effect.Effect<void>
  readonly issueToken: (user: string, token: string, scope?: "read" | "write") => Effect.Effect<void>
  readonly revokeToken: (token: string) => Effect.Effect<void>
}

const routes = [...rootRoutes, ...templateRoutes, ...jobRoutes]

/**
 * Without options: superuser `admin` with token `admin-token`, user `operator` with token `operator-token` and the execute
 * role on the two templates there are, `osac-create-compute-instance` and `osac-delete-compute-instance`.
 */
export const make = (options: Options = {}): Effect.Effect<SimulatedAap> =>
  Effect.gen(function* () {
    const world = worldOf(options, yield* Clock.currentTimeMillis)

    /** Brings the world up to the clock, then looks at it or changes it, in one step. */
    const now = <A>(use: () => A): Effect.Effect<A> =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        advance(world, at)
        return use()
      })

    const handler: WireHandler = (request) =>
      Effect.flatMap(
        now(() => answer(routes, world, request)),
        ({ response, delay }) => (delay > 0 ? Effect.delay(Effect.succeed(response), delay) : Effect.succeed(response))
      )

    const withJob = (id: number, use: (job: Job) => void) =>
      now(() => {
        const job = world.jobs.get(id)
        if (job === undefined) throw new Error(`the simulated AAP has no job ${id}`)
        use(job)
      })

    const withTemplates = (wanted: number | string, use: (template: Template) => void) =>
      now(() => {
        const found = [...world.templates.values()].filter(({ id, name }) => id === wanted || name === wanted)
        if (found.length === 0) throw new Error(`the simulated AAP has no template ${wanted}`)
        found.forEach(use)
      })

    const withUser = (wanted: string, use: (user: (typeof world.users)[number]) => void) =>
      now(() => {
        const found = world.users.find(({ name }) => name === wanted)
        if (found === undefined) throw new Error(`the simulated AAP has no user ${wanted}`)
        use(found)
      })

    return {
      handler,
      ledger: now(() => ledgerOf(world)),
      play: (decide) =>
        now(() => {
          world.decide = decide
        }),
      purge: (id) =>
        withJob(id, (job) => {
          world.jobs.delete(id)
          job.gone = world.now
        }),
      setStatus: (id, status, explanation) => withJob(id, (job) => force(world, job, status, explanation)),
      rebuild: now(() => {
        for (const template of world.templates.values()) template.ready.clear()
        for (const job of world.everyJob) {
          if (!isTerminal(job)) force(world, job, "error", "lost with the database")
          job.gone ??= world.now
        }
        for (const template of world.templates.values()) template.jobs.length = 0
        world.jobs.clear()
        world.nextJobId = 1
      }),
      addTemplate: (template) => now(() => addTemplate(world, template).id),
      removeTemplate: (wanted) => withTemplates(wanted, ({ id }) => world.templates.delete(id)),
      renameTemplate: (wanted, name) =>
        withTemplates(wanted, (template) => {
          template.name = name
          template.names.add(name)
        }),
      addUser: (user) => now(() => addUser(world, user).id),
      setUserRoles: (user, roles) =>
        withUser(user, (found) => {
          found.roles = roles
        }),
      issueToken: (user, token, scope = "write") =>
        withUser(user, (found) => world.tokens.set(token, { user: found, scope })),
      revokeToken: (token) => now(() => void world.tokens.delete(token))
    }
  })
