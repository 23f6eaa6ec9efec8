/**
 * What came of a run, for `Suite.ts`: which tests failed, and which of them by an assertion. The error that a property
 * throws is not the assertion's own, but has it for its cause.
 */
import { writeFileSync } from "node:fs"
import type { SerializedError, TestCase, TestModule } from "vitest/node"
import { type Failure, REPORT_FILE, type Report } from "./Report.ts"

const isSerialized = (error: unknown): error is SerializedError =>
  typeof error === "object" && error !== null && "message" in error

const isAssertion = (error: unknown, depth = 0): boolean =>
  isSerialized(error) &&
  depth < 5 &&
  ((error.name === "AssertionError" && !/Snapshot .* mismatched/u.test(error.message)) ||
    isAssertion(error.cause, depth + 1))

const failureOf = (test: TestCase): Failure => {
  const { errors = [] } = test.result()
  return {
    file: test.module.relativeModuleId,
    test: test.fullName.replaceAll(" > ", " "),
    assertion: errors.some((error) => isAssertion(error)),
    message: errors[0]?.message.split("\n", 1)[0] ?? "it failed without an error"
  }
}

const brokenOf = (module: TestModule): ReadonlyArray<Failure> =>
  module.errors().map((error) => ({
    file: module.relativeModuleId,
    test: "",
    assertion: false,
    message: error.message.split("\n", 1)[0] ?? ""
  }))

export default class Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    const file = process.env[REPORT_FILE]
    if (file === undefined) return
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const report: Report = {
      passed: tests.filter((test) => test.result().state === "passed").length,
      failures: [
        ...tests.filter((test) => test.result().state === "failed").map(failureOf),
        ...modules.flatMap(brokenOf),
        ...errors.map(({ message }) => ({ file: "", test: "", assertion: false, message }))
      ]
    }
    writeFileSync(file, JSON.stringify(report))
  }
}
