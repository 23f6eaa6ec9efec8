/**
 * Whether what is about to be sent may still leave: asked at the last moment before the bytes, of the monotonic clock, so
 * that neither a timer that is late nor a process that was stopped for a while lets anything out after its time.
 *
 * Everything that writes to the API server or speaks to a provider asks the one of its fiber. Without an election everybody
 * is clear; who leads gives its work one that ends with its lease; a launch narrows that to its send window.
 *
 * Synchronous on purpose: between the question and the first byte nothing else can run.
 */
import { Context } from "effect"

export type Clear = () => boolean

export const Clearance = Context.Reference<Clear>("cloudkit-operator/ports/Clearance", {
  defaultValue: () => () => true
})

/** The code of the error with which a request that was held back fails: it certainly had no effect. */
export const HELD_BACK = "ERR_HELD_BACK"
