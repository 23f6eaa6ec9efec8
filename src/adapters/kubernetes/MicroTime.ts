/** Kubernetes' MicroTime: RFC 3339 with exactly six digits of a second. Anything else is refused. */
import { DateTime } from "effect"

export const microTime = (milliseconds: number): string =>
  DateTime.formatIso(DateTime.makeUnsafe(milliseconds)).replace(/\.(\d{3})Z$/, ".$1000Z")
