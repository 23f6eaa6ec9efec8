/** All mutants. */
import { aap } from "./bugs/aap.ts"
import { eda } from "./bugs/eda.ts"
import { launching } from "./bugs/launching.ts"
import { machinery } from "./bugs/machinery.ts"
import { provisioning } from "./bugs/provisioning.ts"
import { remembering } from "./bugs/remembering.ts"
import { searching } from "./bugs/searching.ts"
import { sending } from "./bugs/sending.ts"
import { stopping } from "./bugs/stopping.ts"
import { tearingDown } from "./bugs/tearingDown.ts"
import { unresolved } from "./bugs/unresolved.ts"
import type { Mutant } from "./Mutant.ts"

export const mutants: ReadonlyArray<Mutant> = [
  ...launching,
  ...sending,
  ...unresolved,
  ...searching,
  ...remembering,
  ...stopping,
  ...tearingDown,
  ...provisioning,
  ...aap,
  ...eda,
  ...machinery
]
