/** What every Kubernetes object has, as far as we read it. */
import type { Schema } from "effect"

/** A JSON object as the API server sent it, `metadata.managedFields` dropped. Kept whole: what we do not read, we do not lose. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec?: Schema.Json
  readonly status?: Schema.Json
}

/** The metadata fields that are always there, and the ones we read. Others pass through untouched. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  /** Opaque, but totally ordered within a kind since Kubernetes 1.35 and in practice long before. */
  readonly resourceVersion: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly finalizers?: ReadonlyArray<string>
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface NamespacedName {
  readonly namespace: string
  readonly name: string
}

/** The key of an object in queues and stores. */
export const keyOf = (name: NamespacedName): string => `${name.namespace}/${name.name}`

export type JsonObject = { readonly [key: string]: Schema.Json }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The same JSON; an API server answers with the fields of an object in an order of its own. */
export const equal = (a: Schema.Json | undefined, b: Schema.Json | undefined): boolean => {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => equal(a[key], b[key]))
}
