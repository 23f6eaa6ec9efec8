/**
 * The promises of Kubernetes that the simulator keeps, by name. Each can be switched off on its own, so that the contract
 * suite can be seen to fail without it.
 */
export const behaviours = {
  /** A second object of the same name is 409 AlreadyExists. */
  uniqueNames: true,
  /** A name is made from `generateName`. */
  generatedNames: true,
  /** Objects live in namespaces that exist. */
  namespacesExist: true,
  /** A body that is not an object of the kind is 400, not half accepted. */
  malformedBodiesRefused: true,
  /** A write that carries an older resourceVersion is 409 and changes nothing. */
  staleWritesRefused: true,
  /** The same for the status endpoint. */
  staleStatusWritesRefused: true,
  /** A PUT needs a resourceVersion. */
  updateNeedsVersion: true,
  /** A PUT with another object's uid is 409. */
  uidMustMatch: true,
  /** A write that changes nothing keeps the resourceVersion and is no event. */
  noOpWritesIgnored: true,
  /** `metadata.generation` grows with the spec, and with nothing else but deletion. */
  generationFollowsSpec: true,
  /** The main endpoint ignores `status`, on create too. */
  mainIgnoresStatus: true,
  /** The status endpoint ignores everything but `status`. */
  statusIgnoresRest: true,
  /** System fields of the metadata cannot be set by a client. */
  systemFieldsKept: true,
  /** An object with finalizers gets a deletionTimestamp instead of going away. */
  finalizersHoldObjects: true,
  /** The last finalizer taken off an object that is being deleted removes it. */
  lastFinalizerRemoves: true,
  /** No finalizer can be added while an object is being deleted. */
  noNewFinalizersWhileDeleting: true,
  /** A delete's preconditions on uid and resourceVersion are checked. */
  deletePreconditions: true,
  /** `DELETE` of a collection deletes what its selector selects. */
  collectionsDeleted: true,
  /** Fields that are not in the schema are dropped. */
  unknownFieldsPruned: true,
  /** `fieldValidation=Strict` refuses them, `Warn` (the default) warns. */
  unknownFieldsReported: true,
  /** Finalizers whose names say nothing of their owner are warned of. */
  finalizerNamesReported: true,
  /** Defaults of the schema are filled in. */
  defaultsFilledIn: true,
  /** Types, bounds, patterns, enums, required fields and list keys are checked. */
  schemasChecked: true,
  /** Rules of the schema (CEL) are checked. */
  rulesChecked: true,
  /** Leases and events are what their kinds ask for. */
  builtInsChecked: true,
  /** `null` in a merge patch removes the key. */
  mergePatchNullRemoves: true,
  /** JSON patches are applied whole or not at all. */
  jsonPatches: true,
  /** Patch types that custom resources do not have are 415. */
  unknownPatchTypesRefused: true,
  /** Server-side apply knows who owns which field. */
  applyOwnsFields: true,
  /** `limit` and `continue` walk through a list. */
  listsPaged: true,
  /** The pages of a list are of one moment. */
  pagesConsistent: true,
  /** A `continue` from before a compaction is 410. */
  continueExpires: true,
  /** A list of a past or future resourceVersion is what it says. */
  listsAtVersion: true,
  labelSelectors: true,
  fieldSelectors: true,
  /** A field that is not declared selectable is 400. */
  unknownFieldSelectorsRefused: true,
  /** A watch goes on from the resourceVersion it was given. */
  watchesResume: true,
  /** A watch without a resourceVersion begins with what there is. */
  watchesBeginWithState: true,
  /** A watch from before a compaction is told 410. */
  watchHistoryExpires: true,
  /** A watch is told of the passing of versions. */
  bookmarks: true,
  /** A watch ends after its `timeoutSeconds`. */
  watchesTimeOut: true,
  /** An object that no longer matches a watch's selector is deleted for that watch. */
  watchSelectorsFollowed: true,
  /** Lists and objects can be had as tables. */
  tables: true,
  /** Metadata alone can be had. */
  partialMetadata: true,
  /** Media types nobody has are 406. */
  acceptChecked: true,
  /** An unknown token is 401. */
  tokensChecked: true,
  /** A user may do what its rules say, no more. */
  rulesEnforced: true,
  /** What is not there is 404. */
  missingIsNotFound: true,
  /** A method a resource does not have is 405. */
  methodsChecked: true,
  /** A resource can be discovered. */
  discovery: true,
  /** A resource's schema can be had for clients. */
  openApi: true
}

export type Behaviours = Readonly<Record<keyof typeof behaviours, boolean>>
