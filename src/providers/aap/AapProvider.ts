/**
 * Ansible Automation Platform as a provider: launches job templates and workflow job templates, watches all their jobs
 * together, finds launches whose answer was lost, and cancels.
 *
 * The words of the port are kept here; how each is done is in the module of that name.
 */
import { Duration, Effect, Layer, Option } from "effect"
import type { HttpClient } from "effect/http"
import type { Operation } from "../../domain/Job.ts"
import { HELD_BACK } from "../../ports/Clearance.ts"
import type { ProviderError, ProviderReason } from "../../ports/ProviderError.ts"
import {
  type FoundJob,
  type Order,
  type PreparedLaunch,
  ProvisioningProvider
} from "../../ports/ProvisioningProvider.ts"
import { AapClient, type InvalidAapUrl } from "./AapClient.ts"
import { Unreachable } from "./AapError.ts"
import { AapSettings } from "./AapSettings.ts"
import { makeCancel, readJob } from "./Cancel.ts"
import * as Gate from "./Gate.ts"
import { MISSING } from "./JobLedger.ts"
import { makeMonitor } from "./JobMonitor.ts"
import { launch } from "./Launch.ts"
import { foundJob, operationIn } from "./LaunchRows.ts"
import { keyIn } from "./Ownership.ts"
import { Permits } from "./Permits.ts"
import { PROVIDER, refuse, toProviderError } from "./ProviderErrors.ts"
import { makeSearch } from "./Search.ts"
import * as Templates from "./Templates.ts"
import { type JobRow, jobKind } from "./Wire.ts"

/** How long a template that was found and checked is launched without looking again. */
const KEEP = Duration.minutes(5)

/** Reasons that the next launch would meet as well. */
const shared: ReadonlySet<ProviderReason> = new Set([
  "CredentialsRejected",
  "PermissionDenied",
  "TemplateRefusesVariables",
  "ProviderUnreachable",
  "ProviderOverloaded",
  "ProviderFailure",
  "ProviderMisaddressed"
])

/** It never left this process, which tells nothing of AAP. */
const wasHeldBack = ({ cause }: ProviderError): boolean => cause instanceof Unreachable && cause.code === HELD_BACK

/** One gate per template name, so that provision and deprovision may share one. */
const makeGates = Effect.gen(function* () {
  const { templates } = yield* AapSettings
  const context = yield* Effect.context<AapClient | AapSettings>()
  const gateOf = (name: string) =>
    Gate.make({ probe: Effect.provideContext(Templates.probe(name), context), keep: KEEP })
  const provision = yield* gateOf(templates.provision)
  const deprovision = templates.deprovision === templates.provision ? provision : yield* gateOf(templates.deprovision)
  return { provision, deprovision }
})

const makePrepare = Effect.gen(function* () {
  const client = yield* AapClient
  const permits = yield* Permits
  const gates = yield* makeGates
  const monitor = yield* makeMonitor

  /** A failure that the next launch would meet shuts the gate; a template that is gone is looked for again. */
  const remember = (gate: Gate.Gate<Templates.Template>, error: ProviderError) =>
    error.reason === "TemplateNotFound" ? gate.forget : shared.has(error.reason) ? gate.shut(error) : Effect.void

  const send = (gate: Gate.Gate<Templates.Template>, template: Templates.Template) => (order: Order) =>
    launch(client, template, order).pipe(
      Effect.tapError((error) => (wasHeldBack(error) ? Effect.void : remember(gate, error))),
      Effect.tap((job) => monitor.expect(job.id)),
      Effect.tap((job) =>
        Option.match(job.unusable, {
          onNone: () => gate.launched,
          onSome: ({ reason, message }) => gate.shut(refuse("launch", reason, message))
        })
      )
    )

  const prepare = Effect.fnUntraced(function* (operation: Operation) {
    const gate = gates[operation]
    yield* gate.pass
    yield* permits.launch
    // the wait for a permit may have been long: what was learnt meanwhile counts
    const template = yield* gate.pass
    return { template: Templates.print(template), send: send(gate, template) } satisfies PreparedLaunch
  })

  return { prepare, monitor }
})

/** A job of whoever's making, for a person who names it. */
const anyJob = (row: JobRow, deprovisionTemplate: string): Option.Option<FoundJob> => {
  const kind = jobKind(row.type)
  if (kind === undefined) return Option.none()
  const key = keyIn(row.extra_vars) ?? ""
  const operation = operationIn(key) ?? (row.name === deprovisionTemplate ? "deprovision" : "provision")
  return Option.some(foundJob(row, kind, key, operation))
}

const make = Effect.gen(function* () {
  const settings = yield* AapSettings
  const client = yield* AapClient
  const context = yield* Effect.context<AapClient | AapSettings>()
  const { prepare, monitor } = yield* makePrepare
  const find = yield* makeSearch
  const cancel = makeCancel(monitor)

  return ProvisioningProvider.of({
    name: PROVIDER,
    blockDeletionOnFailure: true,
    gone: MISSING,
    prepare,
    check: Effect.provideContext(Templates.check([...new Set(Object.values(settings.templates))]), context),
    find,
    lookUp: (id) =>
      readJob(id).pipe(
        Effect.map(Option.flatMap((row) => anyJob(row, settings.templates.deprovision))),
        Effect.mapError(toProviderError({ operation: `look up job ${id}` })),
        Effect.provideService(AapClient, client)
      ),
    track: monitor.track,
    forget: monitor.forget,
    recognises: (jobId) => /^\d+$/u.test(jobId),
    changes: monitor.changes,
    cancel: (object, job) => Effect.provideService(cancel(object, job), AapClient, client)
  })
})

/** Fails only when `CLOUDKIT_AAP_URL` cannot be an address. Asks AAP nothing before it has to. */
export const layer: Layer.Layer<ProvisioningProvider, InvalidAapUrl, AapSettings | HttpClient.HttpClient> =
  Layer.effect(ProvisioningProvider, make).pipe(Layer.provide(AapClient.layer), Layer.provide(Permits.layer))
