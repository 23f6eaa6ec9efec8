/**
 * AAP's words for the state of a job, in the operator's terms. A word nobody knows is a state that is not terminal, and
 * the word itself is kept.
 */
import type { JobState } from "../../domain/Job.ts"
import { plain } from "./PlainText.ts"
import type { JobRow } from "./Wire.ts"

const states: Readonly<Record<string, JobState>> = {
  new: "Pending",
  pending: "Pending",
  waiting: "Waiting",
  running: "Running",
  successful: "Succeeded",
  failed: "Failed",
  error: "Failed",
  canceled: "Canceled"
}

export interface Stated {
  readonly state: JobState
  /** The original word of an unknown state, otherwise empty. */
  readonly detail: string
}

export const stateOf = (status: string): Stated => {
  const state = Object.hasOwn(states, status) ? states[status] : undefined
  return state === undefined ? { state: "Unknown", detail: plain(status, 100) } : { state, detail: "" }
}

/** The job has ended, and AAP will not change it any more. */
export const isTerminalStatus = (status: string): boolean => {
  const { state } = stateOf(status)
  return state === "Succeeded" || state === "Failed" || state === "Canceled"
}

export interface Times {
  readonly startedAt?: string
  readonly finishedAt?: string
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/u

/** Kubernetes would refuse the whole status for a time that is none. */
const time = (value: string | null | undefined): string | undefined =>
  typeof value === "string" && rfc3339.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined

export const timesOf = (row: JobRow): Times => {
  const startedAt = time(row.started)
  const finishedAt = time(row.finished)
  return {
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt })
  }
}
