/** How long a demo waits for anything: a minute in all, and longer where a machine is known to be slow or busy. */
import { Duration } from "effect"

const given = Number(process.env.DEMO_PATIENCE ?? "1")
const times = given >= 1 && Number.isFinite(given) ? given : 1

const seconds = (number: number): Duration.Duration => Duration.seconds(number * times)

/** Everything but the stay; whoever hangs is cut off, and the exit code says so. */
export const LONGEST_DEMO = seconds(55)
/** Until all operators watch the cluster. */
export const LONGEST_START = seconds(20)
/** From SIGTERM to the end of an operator. */
export const LONGEST_STOP = seconds(4)
/** A resource on which nothing has changed for so long will not change any more. */
export const LONGEST_REST = Duration.seconds(25)
/** Whatever was not there in time will not come: the demo still has the time to tell of it. */
export const LONGEST_STORY = seconds(42)
