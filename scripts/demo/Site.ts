/** Where an operator is installed, and with what. */
import { readFileSync } from "node:fs"
import { parseAllDocuments } from "yaml"
import type { AccessRule } from "../../test/support/kubernetes/Access.ts"
import { fromUnknown, listAt, stringsAt } from "../../test/support/kubernetes/Json.ts"
import type { User } from "../../test/support/SimulatedKubernetes.ts"

export type ProviderName = "aap" | "eda"

/** One operator, and what makes it different from the others. */
export interface Site {
  readonly name: string
  readonly namespace: string
  readonly token: string
  /** The provider it launches with, as it is started first. */
  readonly provider: ProviderName
  /** The providers whose variables it is given. */
  readonly configured: ReadonlyArray<ProviderName>
  /** Templates of AAP. */
  readonly provision: string
  readonly deprovision: string
}

const PROVISION = "osac-create-compute-instance"
const DEPROVISION = "osac-delete-compute-instance"

const site = (
  name: string,
  namespace: string,
  provider: ProviderName,
  configured: ReadonlyArray<ProviderName> = [provider]
): Site => ({
  name,
  namespace,
  token: `${name}-token`,
  provider,
  configured,
  provision: PROVISION,
  deprovision: DEPROVISION
})

export const jobSite = site("operator-jobs", "default", "aap")

export const workflowSite: Site = {
  ...site("operator-workflows", "workflow", "aap"),
  provision: `${PROVISION}-workflow`,
  deprovision: `${DEPROVISION}-workflow`
}

export const edaSite = site("operator-eda", "default", "eda")

/** Each comes back with the other provider. */
export const fromEdaSite = site("operator-from-eda", "default", "eda", ["eda", "aap"])
export const fromAapSite = site("operator-from-aap", "second", "aap", ["eda", "aap"])

/** What the roles of a manifest grant, in these namespaces. */
const grantedIn = (manifest: string, namespaces: ReadonlyArray<string>): ReadonlyArray<AccessRule> =>
  parseAllDocuments(readFileSync(new URL(`../../k8s/base/${manifest}`, import.meta.url), "utf8"))
    .flatMap((document) => listAt(fromUnknown(document.toJS()), "rules"))
    .map((rule) => {
      const resourceNames = stringsAt(rule, "resourceNames")
      return {
        apiGroups: stringsAt(rule, "apiGroups"),
        resources: stringsAt(rule, "resources"),
        verbs: stringsAt(rule, "verbs"),
        ...(resourceNames.length === 0 ? {} : { resourceNames }),
        namespaces
      }
    })

/** The operator with the rights that the manifests give it: its own namespace's objects, and its Lease. */
export const operatorUser = ({ name, namespace }: Site): User => ({
  user: `system:serviceaccount:cloudkit-system:${name}`,
  rules: [...grantedIn("instances.yaml", [namespace]), ...grantedIn("leases.yaml", ["cloudkit-system"])]
})
