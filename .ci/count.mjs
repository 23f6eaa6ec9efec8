/**
 * Prints "passed failed" of a vitest JSON report. What did not get as far as failing a test still counts as a failure: a
 * report that is missing or cut off, and a file that could not be loaded.
 */
import { readFileSync } from "node:fs"

const count = () => {
  try {
    const { testResults } = JSON.parse(readFileSync(process.argv[2], "utf8"))
    const tests = testResults.flatMap((file) => file.assertionResults)
    const unloadable = testResults.filter(
      (file) => file.status !== "passed" && !file.assertionResults.some((test) => test.status === "failed")
    )
    for (const file of unloadable) console.error(`could not be run: ${file.name}: ${file.message}`)
    const failed = tests.filter((test) => test.status === "failed").length + unloadable.length
    return [tests.filter((test) => test.status === "passed").length, failed]
  } catch (error) {
    console.error(`the tests left no report: ${error.message}`)
    return [0, 1]
  }
}
console.log(count().join(" "))
