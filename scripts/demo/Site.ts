/** Where an operator is installed, and with what. */
import { GROUP, PLURAL } from "../../src/domain/ComputeInstance.ts"
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

/** What the operator may do: in its own namespace, and no more than it needs. */
export const operatorUser = ({ name, namespace }: Site): User => {
  const namespaces = [namespace]
  return {
    user: `system:serviceaccount:cloudkit-system:${name}`,
    rules: [
      { apiGroups: [GROUP], resources: [PLURAL], verbs: ["get", "list", "watch", "patch"], namespaces },
      { apiGroups: [GROUP], resources: [`${PLURAL}/status`], verbs: ["patch"], namespaces },
      { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"], namespaces }
    ]
  }
}
