/** What to try while the demo stays. Every command works as it stands here, with a stock kubectl and curl. */
import { GROUP, KIND, VERSION } from "../../src/domain/ComputeInstance.ts"
import type { JsonObject } from "../../test/support/kubernetes/Json.ts"
import { AAP_TOKEN } from "./Installation.ts"
import { strong } from "./View.ts"

export interface Addresses {
  readonly kubeconfig: string
  readonly aapUrl: string
  readonly edaUrl: string
  /** A resource that is there, and, in the demo that has one, the resource whose playbook failed. */
  readonly name: string | undefined
  readonly failed: string | undefined
  readonly logs: ReadonlyArray<string>
}

const apply = (name: string, spec: JsonObject): string => {
  const manifest = { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec }
  return `echo '${JSON.stringify(manifest)}' | kubectl apply -f -`
}

const about = (name: string | undefined, command: (name: string) => string): ReadonlyArray<string> =>
  name === undefined ? [] : [command(name)]

const commands = ({
  aapUrl,
  failed,
  kubeconfig,
  name
}: Addresses): ReadonlyArray<readonly [string, ReadonlyArray<string>]> => [
  [
    "Look around (in another terminal)",
    [
      `export KUBECONFIG=${kubeconfig}`,
      "kubectl get ci --all-namespaces -o wide",
      ...about(failed, (it) => `kubectl describe ci ${it}`),
      ...about(name, (it) => `kubectl get ci ${it} -o jsonpath='{.status.provisionJob}'`),
      "kubectl get ci --field-selector status.phase!=Ready",
      "kubectl get events --all-namespaces",
      "kubectl explain ci.spec"
    ]
  ],
  [
    "Order a machine of your own, and wait for it",
    [apply("mine", { name: "mine", vcpu: 2 }), "kubectl wait --for=condition=Ready ci/mine --timeout=60s"]
  ],
  [
    "Change it, run the failed one again, delete in the middle of the run",
    [
      `kubectl patch ci mine --type=merge -p '{"spec": {"vcpu": 8}}'`,
      ...about(
        failed,
        (it) => `kubectl annotate ci ${it} cloudkit.openshift.io/retry-requested-at="$(date -u +%FT%TZ)" --overwrite`
      ),
      "kubectl delete ci mine"
    ]
  ],
  ["Order nonsense, and be told why not", [apply("bad", { name: "Bad_Name", vcpu: 0 })]],
  [
    "Ask AAP itself",
    [`curl -s -H 'Authorization: Bearer ${AAP_TOKEN}' '${aapUrl}/v2/unified_jobs/?order_by=-id&page_size=3'`]
  ]
]

export const invitation = (addresses: Addresses): string =>
  [
    "",
    strong("The demo stays up. Ctrl-C ends it."),
    "",
    `  Kubernetes  KUBECONFIG=${addresses.kubeconfig}`,
    `  AAP         ${addresses.aapUrl}  (token: ${AAP_TOKEN})`,
    `  EDA         ${addresses.edaUrl}`,
    ...addresses.logs.map((log) => `  log         ${log}`),
    ...commands(addresses).flatMap(([what, lines]) => ["", strong(what), ...lines.map((line) => `  ${line}`)]),
    "",
    "What happens from now on:",
    ""
  ].join("\n")
