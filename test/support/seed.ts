/**
 * Properties draw the same cases in every run, so that a red run can be repeated; SEED draws others.
 */
import * as fc from "fast-check"

const seed = Number(process.env.SEED ?? "20261121")
if (!Number.isInteger(seed)) throw new Error(`SEED must be a whole number, found "${process.env.SEED}"`)

fc.configureGlobal({ seed })
