/**
 * Ids of EDA's jobs. A webhook gives none, so each call is numbered: `eda-webhook-1`, `eda-webhook-2`, … within an object.
 */

/** Old records may hold the bare name. */
const numbered = /^eda-webhook(?:-(\d{1,15}))?$/u

export const recognises = (id: string): boolean => id.startsWith("eda-webhook")

/** One more than the highest of the recorded ids; ids of another form count for nothing. */
export const nextId = (recorded: ReadonlyArray<string>): string => {
  const highest = recorded.reduce((most, id) => Math.max(most, Number(numbered.exec(id)?.[1] ?? 0)), 0)
  return `eda-webhook-${highest + 1}`
}
