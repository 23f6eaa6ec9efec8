/**
 * A request that was written, and got no whole answer: it may have had its effect, whatever it was that broke, and however
 * that reads. What breaks on a connection in use can carry the very code of a connection that was never made.
 *
 * Clients of the adapters put it around the failures of such requests.
 */
export class Unanswered extends Error {
  constructor(cause: unknown) {
    super("the request was written, and got no whole answer", { cause })
  }
}

const DEEPEST = 8

/** Whether it, or a cause of it, is one. */
export const isUnanswered = (error: unknown, depth = 0): boolean => {
  if (error instanceof Unanswered) return true
  if (typeof error !== "object" || error === null || depth > DEEPEST) return false
  return (
    ("reason" in error && isUnanswered(error.reason, depth + 1)) ||
    ("cause" in error && isUnanswered(error.cause, depth + 1))
  )
}
