/** The kinds being served, and the compiled rules of their schemas. */
import { Result } from "effect"
import type { RuleError } from "./Cel.ts"
import type { JsonObject } from "./Json.ts"
import { builtInResources, type Resource, resourcesOf } from "./Resource.ts"
import { type RuledSchema, ruled } from "./Rules.ts"

export class Kinds {
  private served: ReadonlyArray<Resource> = builtInResources
  private readonly compiled = new Map<Resource, RuledSchema | undefined>()

  get all(): ReadonlyArray<Resource> {
    return this.served
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.served.find((one) => one.group === group && one.version === version && one.plural === plural)
  }

  rulesOf(resource: Resource): RuledSchema | undefined {
    return this.compiled.get(resource)
  }

  /** Serves the kinds of a definition, instead of those of an earlier form of it. */
  load(crd: JsonObject): Result.Result<void, RuleError> {
    const resources = resourcesOf(crd)
    return Result.map(Result.all(resources.map((resource) => ruled(resource.schema ?? {}))), (rules) => {
      const storages = resources.map((resource) => resource.storage)
      this.served = [...this.served.filter((one) => !storages.includes(one.storage)), ...resources]
      resources.forEach((resource, index) => {
        this.compiled.set(resource, rules[index])
      })
    })
  }

  drop(crd: JsonObject): ReadonlyArray<Resource> {
    const storages = resourcesOf(crd).map((resource) => resource.storage)
    const dropped = this.served.filter((one) => storages.includes(one.storage))
    this.served = this.served.filter((one) => !storages.includes(one.storage))
    return dropped
  }
}
