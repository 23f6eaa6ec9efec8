/** The questions of a survey: which answers are missing, and which are wrong. */
import type { ParsedObject } from "./PythonJson.ts"
import type { SurveyQuestion } from "./World.ts"

/** The complaints AAP makes under `variables_needed_to_start`. */
export const missingAnswers = (survey: ReadonlyArray<SurveyQuestion>, answers: ParsedObject): ReadonlyArray<string> =>
  survey
    .filter(
      ({ variable, required, default: fallback }) =>
        required === true && fallback === undefined && !(variable in answers)
    )
    .map(({ variable }) => `'${variable}' value missing`)

export const wrongAnswers = (survey: ReadonlyArray<SurveyQuestion>, answers: ParsedObject): ReadonlyArray<string> =>
  survey.flatMap((question) => {
    const { variable, type = "text", min, max } = question
    const value = answers[variable]
    if (value === undefined) return []
    if (type === "integer") {
      if (typeof value !== "number" || !Number.isInteger(value))
        return [`Value ${JSON.stringify(value)} for '${variable}' expected to be an integer.`]
      if (min !== undefined && value < min)
        return [`Value ${value} for '${variable}' is too small (must be at least ${min}).`]
      if (max !== undefined && value > max)
        return [`Value ${value} for '${variable}' is too large (must be no more than ${max}).`]
      return []
    }
    if (typeof value !== "string") return [`Value ${JSON.stringify(value)} for '${variable}' expected to be a string.`]
    if (min !== undefined && value.length < min)
      return [`'${variable}' value ${value} is too small (length is ${value.length} must be at least ${min}).`]
    if (max !== undefined && value.length > max)
      return [`'${variable}' value ${value} is too large (must be no more than ${max}).`]
    return []
  })

export const defaultAnswers = (survey: ReadonlyArray<SurveyQuestion>): ParsedObject =>
  Object.fromEntries(
    survey.flatMap(({ variable, default: fallback }) => (fallback === undefined ? [] : [[variable, fallback]]))
  )
