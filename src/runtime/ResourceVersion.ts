/**
 * The order of resourceVersions of one kind. Decimal numbers of any length compare as numbers; anything else is opaque,
 * and the one that comes later counts as newer when it differs.
 */

const decimal = /^[0-9]+$/

const digits = (version: string): string => version.replace(/^0+(?=[0-9])/, "")

/** Whether `candidate`, which was seen after `held`, is a later version. */
export const isNewer = (candidate: string, held: string): boolean => {
  if (!decimal.test(candidate) || !decimal.test(held)) return candidate !== held
  const a = digits(candidate)
  const b = digits(held)
  return a.length === b.length ? a > b : a.length > b.length
}
