/**
 * What the monitor knows: which object follows which jobs, what AAP last said of each, and which objects have not heard of
 * it yet. Plain data, changed in one step at a time, so that no reader sees it half changed.
 *
 * Guarantees: answers are applied in the order in which their requests began; an ended job never lives again; an ended
 * job's last observation stays until its object names it no longer; an object is dirty only when something it would be
 * told has changed.
 */
import type { JobObservation, JobState } from "../../domain/Job.ts"
import type { NamespacedName } from "../../ports/KubernetesClient.ts"
import type { ProviderError } from "../../ports/ProviderError.ts"
import type { JobReference } from "../../ports/ProvisioningProvider.ts"
import { stateOf, timesOf } from "./JobStates.ts"
import { belongsTo } from "./Ownership.ts"
import { type JobKind, type JobRow, jobKind } from "./Wire.ts"

/** One job as one object follows it. */
export interface Followed {
  readonly reference: JobReference
  kind: JobKind | undefined
  /** What the answer of AAP may weigh: the variables it was launched with come back in every list. */
  bytes: number
  seen: JobObservation | undefined
  /** A row of AAP showed that the job is the object's. */
  verified: boolean
  /** When the request began whose answer was applied last. */
  order: number
  /** To be looked at before the next regular round. */
  hurried: boolean
  /** It failed, and its reason is yet to be found; nothing else is asked meanwhile. */
  failed: "unexplained" | "explaining" | undefined
  /** Why nothing can be said of this job alone. */
  problem: ProviderError | undefined
}

interface Follower {
  readonly uid: string
  readonly name: NamespacedName
  readonly jobs: ReadonlyMap<string, Followed>
}

/** A job to be asked for. */
export interface Wanted {
  readonly id: string
  readonly kind: JobKind | undefined
  readonly bytes: number
}

const isEnd = (state: JobState): boolean => state === "Succeeded" || state === "Failed" || state === "Canceled"

const isOver = (followed: Followed): boolean =>
  followed.seen !== undefined && (followed.seen.gone || isEnd(followed.seen.state))

const same = (a: JobObservation | undefined, b: JobObservation): boolean =>
  a !== undefined &&
  a.state === b.state &&
  a.detail === b.detail &&
  a.gone === b.gone &&
  a.startedAt === b.startedAt &&
  a.finishedAt === b.finishedAt

/** AAP's own 404 for a job. */
export const MISSING = "no longer in AAP (404 Not Found)"
const missing: JobObservation = { state: "Unknown", detail: MISSING, gone: true }
const foreign: JobObservation = {
  state: "Unknown",
  detail: "no longer in AAP (the id now belongs to another job)",
  gone: true
}

const keyOf = (name: NamespacedName): string => `${name.namespace}/${name.name}`

/** The row's share of an answer besides the variables. */
const ROW = 4096

export interface Subject {
  readonly uid: string
  readonly name: NamespacedName
  /** Size of the object as JSON, as far as it goes into the variables. */
  readonly bytes: () => number
}

export class JobLedger {
  private readonly followers = new Map<string, Follower>()
  private readonly byJob = new Map<string, Set<Follower>>()
  private readonly dirty = new Map<string, NamespacedName>()
  private requests = 0

  /** The place of a request among all requests; taken right before it begins. */
  begin(): number {
    this.requests += 1
    return this.requests
  }

  /** Replaces what the object follows. A `fresh` job was launched by this process: it is the object's, and can wait. */
  follow(
    subject: Subject,
    jobs: ReadonlyArray<JobReference>,
    fresh: (id: string) => boolean
  ): ReadonlyMap<string, Followed> {
    const before = this.followers.get(keyOf(subject.name))
    const same = before?.uid === subject.uid ? before : undefined
    const next = new Map<string, Followed>()
    for (const reference of jobs) {
      next.set(reference.id, same?.jobs.get(reference.id) ?? this.begun(subject, reference, fresh(reference.id)))
    }
    this.forget(subject.name)
    if (next.size === 0) return next
    const follower = { uid: subject.uid, name: subject.name, jobs: next }
    this.followers.set(keyOf(subject.name), follower)
    for (const id of next.keys()) this.byJob.set(id, (this.byJob.get(id) ?? new Set()).add(follower))
    return next
  }

  /** Nobody of that name follows anything any more. What it has not been told yet it may still be told. */
  forget(name: NamespacedName): void {
    const follower = this.followers.get(keyOf(name))
    if (follower === undefined) return
    for (const id of follower.jobs.keys()) this.unlink(id, follower)
    this.followers.delete(keyOf(name))
  }

  private unlink(id: string, follower: Follower): void {
    const followers = this.byJob.get(id)
    followers?.delete(follower)
    if (followers?.size === 0) this.byJob.delete(id)
  }

  private begun(subject: Subject, reference: JobReference, fresh: boolean): Followed {
    return {
      reference,
      kind: jobKind(reference.kind),
      bytes: ROW + subject.bytes(),
      seen: undefined,
      verified: fresh,
      order: 0,
      hurried: !fresh,
      failed: undefined,
      problem: undefined
    }
  }

  /** The jobs that AAP has to be asked for, each once; only the hurried ones, if so wanted. */
  wanted(hurriedOnly: boolean): ReadonlyArray<Wanted> {
    const wanted = new Map<string, Wanted>()
    for (const { jobs } of this.followers.values()) {
      for (const [id, followed] of jobs) {
        if (isOver(followed) || followed.failed !== undefined || (hurriedOnly && !followed.hurried)) continue
        wanted.set(id, { id, kind: followed.kind ?? wanted.get(id)?.kind, bytes: followed.bytes })
      }
    }
    return [...wanted.values()].sort((a, b) => Number(a.id) - Number(b.id))
  }

  private *followersOf(id: string): Iterable<readonly [Follower, Followed]> {
    for (const follower of this.byJob.get(id) ?? []) {
      const followed = follower.jobs.get(id)
      if (followed !== undefined) yield [follower, followed]
    }
  }

  /** Wants the job looked at soon. Answers whether anybody follows it. */
  hurry(id: string): boolean {
    let any = false
    for (const [, followed] of this.followersOf(id)) {
      if (isOver(followed)) continue
      followed.hurried = true
      any = true
    }
    return any
  }

  /** The wish of a hurried job was granted, whatever came of it. */
  calm(ids: ReadonlyArray<string>): void {
    for (const id of ids) for (const [, followed] of this.followersOf(id)) followed.hurried = false
  }

  private tell(follower: Follower, followed: Followed, seen: JobObservation): void {
    followed.problem = undefined
    if (same(followed.seen, seen)) return
    followed.seen = seen
    this.dirty.set(keyOf(follower.name), follower.name)
  }

  /** Takes a row that AAP gave in answer to the request `order`. Answers the objects whose job it is not. */
  apply(row: JobRow, order: number): ReadonlyArray<NamespacedName> {
    const strangers: Array<NamespacedName> = []
    for (const [follower, followed] of this.followersOf(String(row.id))) {
      if (order <= followed.order || isOver(followed) || followed.failed !== undefined) continue
      followed.order = order
      const kind = jobKind(row.type)
      if (kind === undefined || !belongsTo(row.extra_vars, follower.uid, followed.reference.launchKey)) {
        this.tell(follower, followed, foreign)
        strangers.push(follower.name)
        continue
      }
      followed.verified = true
      followed.kind = kind
      followed.bytes = ROW + (row.extra_vars?.length ?? 0)
      const stated = stateOf(row.status)
      if (stated.state === "Failed") followed.failed = "unexplained"
      else this.tell(follower, followed, { ...stated, ...timesOf(row), gone: false })
    }
    return strangers
  }

  /** Whether a failure of the job waits for its reason, and nobody looks for it yet. */
  claimExplanation(id: string): boolean {
    let claimed = false
    for (const [, followed] of this.followersOf(id)) {
      if (followed.failed !== "unexplained") continue
      followed.failed = "explaining"
      claimed = true
    }
    return claimed
  }

  /** The reason of a failure is known. */
  conclude(row: JobRow, detail: string): void {
    for (const [follower, followed] of this.followersOf(String(row.id))) {
      if (followed.failed === undefined) continue
      followed.failed = undefined
      this.tell(follower, followed, { state: "Failed", detail, ...timesOf(row), gone: false })
    }
  }

  /** AAP confirmed, to a request that began at `order`, that it does not have the job. */
  bury(id: string, order: number): void {
    for (const [follower, followed] of this.followersOf(id)) {
      if (order <= followed.order || isOver(followed) || followed.failed !== undefined) continue
      followed.order = order
      this.tell(follower, followed, missing)
    }
  }

  /** Nothing can be said of one job, for a reason of its own. */
  doubt(id: string, problem: ProviderError): void {
    for (const [follower, followed] of this.followersOf(id)) {
      if (isOver(followed)) continue
      if (followed.problem?.message !== problem.message) this.dirty.set(keyOf(follower.name), follower.name)
      followed.problem = problem
    }
  }

  /** The kind of the object's job, once a row showed that it is the object's. */
  verifiedKind(uid: string, id: string): JobKind | undefined {
    for (const [follower, followed] of this.followersOf(id)) {
      if (follower.uid === uid && followed.verified) return followed.kind
    }
    return undefined
  }

  /** Every object has something new to be told. */
  tellEverybody(): void {
    for (const follower of this.followers.values()) this.dirty.set(keyOf(follower.name), follower.name)
  }

  hasNews(): boolean {
    return this.dirty.size > 0
  }

  /** The objects that have not been told yet; each is named once. */
  takeNews(): ReadonlyArray<NamespacedName> {
    const news = [...this.dirty.values()]
    this.dirty.clear()
    return news
  }
}
