/**
 * The contract between the pipeline and whatever runs the playbooks. One folder under `providers/` per implementation;
 * every implementation passes the contract suite in `test/providers/contract.ts`.
 *
 * What a provider cannot do is an absent member, and the pipeline handles the absence once.
 */
import { Context, type Effect, type Option, type Schema, type Scope, type Stream } from "effect"
import type { JobObservation, JobState, Operation } from "../domain/Job.ts"
import type { KubernetesObject, NamespacedName } from "./KubernetesClient.ts"
import type { ProviderError, ProviderReason } from "./ProviderError.ts"

/** How a recorded job is found again. */
export interface JobReference {
  readonly id: string
  /** What the provider called the kind of job when it launched it; absent in old records. */
  readonly kind: string | undefined
  readonly operation: Operation
  /** The key it was launched under; absent in old records. */
  readonly launchKey: string | undefined
  /** The version of the spec it was launched with; absent in old records of deprovisions. */
  readonly configVersion?: string | undefined
}

/** What a launch carries besides the operation it was prepared for. */
export interface Order {
  /** Idempotency key; travels with the job, so that `find` can recognise it. */
  readonly key: string
  readonly stamp: string
  /** Ids of all jobs the resource records, for providers that number their jobs themselves. */
  readonly recorded?: ReadonlyArray<string>
  /** The resource as the playbook gets it. */
  readonly payload: { readonly [key: string]: Schema.Json }
}

export interface LaunchedJob {
  readonly id: string
  readonly kind: string | undefined
  readonly state: JobState
  /** The provider's own word on the state, empty where the state says it all. */
  readonly detail: string
  /** The job exists but is worthless, because the provider left out what was sent; it must be cancelled. */
  readonly unusable: Option.Option<{ readonly reason: ProviderReason; readonly message: string }>
}

/** A launch that can be sent: everything that may fail without an effect has been checked. */
export interface PreparedLaunch {
  /** What will be launched, in the provider's own words; recorded in the intent and handed back to `find`. */
  readonly template: string
  /**
   * Sends it, once. Never repeated by the provider. Fails with `applied: "no"` only when it is certain that no job came of
   * it; everything else is `"unknown"`.
   */
  readonly send: (order: Order) => Effect.Effect<LaunchedJob, ProviderError>
}

export interface FoundJob extends JobReference {
  readonly launchKey: string
  readonly state: JobState
  readonly detail: string
  /** Uid of the object it was launched for, as far as the job itself tells. */
  readonly owner?: string | undefined
  /** When the provider created it (RFC 3339, UTC); empty where it does not say. */
  readonly created: string
  readonly startedAt: string | undefined
  readonly finishedAt: string | undefined
  /** A person ran it again at the provider: it copies our key, and is not ours to cancel. */
  readonly relaunched: boolean
}

/** What is known of an object's live jobs. */
export interface Tracked {
  /** By job id. A job of which nothing is known yet is absent. */
  readonly seen: ReadonlyMap<string, JobObservation>
  /** Why nothing newer is known, when the provider has not answered for a while. */
  readonly problem: Option.Option<ProviderError>
}

export type CancelAnswer =
  /** Asked for. The job may live on for a while; a repeat is harmless. */
  | "Requested"
  /** Too late, the job has ended. */
  | "AlreadyTerminal"
  /** The provider has no such job, or the id now belongs to somebody else's. */
  | "Gone"

export interface Provider {
  /** As in `CLOUDKIT_PROVISIONING_PROVIDER` and in the records. */
  readonly name: string
  /** Whether a failed deprovision job keeps the object. */
  readonly blockDeletionOnFailure: boolean
  /**
   * Checks what can be checked without an effect (credential, template, preflight) and takes rate and concurrency permits,
   * which the scope gives back. Waits behind a shared gate while the provider or the template is known to be failing.
   * Repeatable. Fails with `applied: "no"`.
   */
  readonly prepare: (operation: Operation) => Effect.Effect<PreparedLaunch, ProviderError, Scope.Scope>
  /**
   * Asks, in one request without an effect, whether it would launch, as far as one request can tell. Repeatable. Absent:
   * there is nothing to ask.
   */
  readonly check?: Effect.Effect<void, ProviderError>
  /**
   * Every job of `template` created since `since` (RFC 3339) that carries a key of object `uid`, oldest first, terminal
   * ones too; those created after `until`, and those that had ended before `unfinishedAt`, may be left out. The search
   * begins after the call, or at most `maxAge` milliseconds before it; calls share searches as far as that allows. Fails
   * when it cannot tell. Absent: the provider cannot tell.
   */
  readonly find?: (query: {
    readonly template: string
    readonly uid: string
    readonly since: string
    readonly until?: string
    readonly unfinishedAt?: string
    readonly maxAge?: number
  }) => Effect.Effect<ReadonlyArray<FoundJob>, ProviderError>
  /**
   * The record of a sending of which nothing is known, for a provider that cannot tell (no `find`): it may have been
   * accepted, so it counts as sent.
   */
  readonly presume?: (order: Order, operation: Operation) => LaunchedJob
  /**
   * Milliseconds after which a job that gave no sign is no longer waited for, for a provider that only hears of the end of
   * its jobs. Absent: the provider sees its jobs.
   */
  readonly settlePeriod?: number
  /** Least time between two launches of an operation for one object, in milliseconds. Absent: none. */
  readonly minimumInterval?: number
  /** How it says of a job that it no longer has it. Absent: it keeps no jobs that could be lost. */
  readonly gone?: string
  /** Playbooks of this provider put a finalizer of their own on the object, and take it off when they are done. */
  readonly playbooksHoldFinalizer?: boolean
  /** One job by id, whatever its key: for a person's adopt-job annotation. None: the provider has no such job. */
  readonly lookUp?: (id: string) => Effect.Effect<Option.Option<FoundJob>, ProviderError>
  /**
   * Declares the object's live jobs, replacing what was declared before (none: forget the object), and answers what is
   * known of them. Costs no request: jobs are observed together, in the background, and `changes` tells.
   */
  readonly track: (object: KubernetesObject, jobs: ReadonlyArray<JobReference>) => Effect.Effect<Tracked>
  /** The object is gone: forgets its jobs. */
  readonly forget: (object: NamespacedName) => Effect.Effect<void>
  /** Whether a job id recorded without a provider's name has this provider's form. */
  readonly recognises: (jobId: string) => boolean
  /** Objects of which `track` has something new to say. */
  readonly changes: Stream.Stream<NamespacedName>
  /**
   * Asks for a job to be cancelled. Repeatable. A job that is not the object's (its key names another object) is `Gone`.
   * Fails with `PermissionDenied` only when the job is alive and may not be cancelled. Absent: jobs cannot be cancelled.
   */
  readonly cancel?: (object: KubernetesObject, job: JobReference) => Effect.Effect<CancelAnswer, ProviderError>
}

/** The service a provider's layer builds. */
export class ProvisioningProvider extends Context.Service<ProvisioningProvider, Provider>()(
  "cloudkit-operator/ports/ProvisioningProvider"
) {}

/** All providers that are configured; the active one launches, any of them observes what it launched earlier. */
export class Providers extends Context.Service<
  Providers,
  {
    readonly active: Provider
    readonly byName: (name: string) => Option.Option<Provider>
    readonly all: ReadonlyArray<Provider>
  }
>()("cloudkit-operator/ports/Providers") {}
