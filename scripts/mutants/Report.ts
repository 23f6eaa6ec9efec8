/** What a run of tests leaves behind for whoever started it. */
import { Schema } from "effect"

/** The variable that names the file to leave it in. */
export const REPORT_FILE = "MUTANT_REPORT"

const Failure = Schema.Struct({
  file: Schema.String,
  /** Empty where a file could not be loaded. */
  test: Schema.String,
  /** It was an assertion that failed, and not something that was thrown, or time that ran out. */
  assertion: Schema.Boolean,
  message: Schema.String
})
export type Failure = typeof Failure.Type

const Report = Schema.Struct({ passed: Schema.Int, failures: Schema.Array(Failure) })
export type Report = typeof Report.Type

export const decodeReport = Schema.decodeUnknownOption(Schema.fromJsonString(Report))
