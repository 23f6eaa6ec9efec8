/** A rule by which jobs are launched exactly once, or objects deleted cleanly. */

export interface Rule {
  readonly id: string
  readonly text: string
  readonly vital?: true
  /** File below `test/`, and name of the test in it. */
  readonly tests: ReadonlyArray<readonly [file: string, name: string]>
}
