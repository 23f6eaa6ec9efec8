/** How far a step got: look again at once, rest until something happens, or try again after the backoff. */

import type { Problem } from "../domain/Status.ts"
import type { KubernetesObject } from "../ports/KubernetesClient.ts"
import type { ProviderError } from "../ports/ProviderError.ts"
import type { Action } from "../runtime/Action.ts"
import type { FullSearch } from "./observe.ts"

export type Progress =
  /** The world changed by our own hand: look again at once, at this object, with what was found. */
  | { readonly _tag: "Again"; readonly object: KubernetesObject; readonly search: FullSearch | undefined }
  /** Nothing more to do in this pass. The status says so, with the problem if there is one. */
  | { readonly _tag: "Rest"; readonly action: Action; readonly problem: Problem | undefined }
  /** Others launch first: nothing is tried, and the key is called when its turn has come. `still`: as a pass before found. */
  | { readonly _tag: "InLine"; readonly still: boolean }
  /** The provider said no: the status says why, and the backoff decides when to try again. */
  | { readonly _tag: "Retry"; readonly error: ProviderError }
  /** The object is not ours to speak of any more. */
  | { readonly _tag: "Finished"; readonly action: Action }

export const again = (object: KubernetesObject, search?: FullSearch): Progress => ({ _tag: "Again", object, search })
export const rest = (action: Action, problem?: Problem): Progress => ({ _tag: "Rest", action, problem })
export const inLine = (still: boolean): Progress => ({ _tag: "InLine", still })
export const retry = (error: ProviderError): Progress => ({ _tag: "Retry", error })
export const finished = (action: Action): Progress => ({ _tag: "Finished", action })
