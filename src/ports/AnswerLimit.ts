/**
 * How much of an answer is read: whoever asks over HTTP sets it for the requests of its fiber, and the client ends an
 * answer that is larger where its bytes arrive, so that the rest is never in memory. What then fails is the body, not the
 * request, which may have had its effect.
 */
import { Context, Option } from "effect"
import { Unanswered } from "./Unanswered.ts"

/** In bytes. */
export const AnswerLimit = Context.Reference<number>("cloudkit-operator/ports/AnswerLimit", {
  defaultValue: () => Number.POSITIVE_INFINITY
})

/** Why the body ended. */
export class AnswerTooLarge extends Error {
  constructor(limit: number) {
    super(`the answer is larger than ${limit} bytes, the most that is read`)
  }
}

export const tooLarge = ({
  reason: { cause }
}: {
  readonly reason: { readonly cause?: unknown }
}): Option.Option<AnswerTooLarge> => {
  const found = cause instanceof Unanswered ? cause.cause : cause
  return found instanceof AnswerTooLarge ? Option.some(found) : Option.none()
}
