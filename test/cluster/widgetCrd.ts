/**
 * The resource of the contract suite. It has one of everything the suite speaks of: defaults, unknown fields, patterns,
 * bounds, lists with keys, rules, a rule over a transition, selectable fields, printer columns and a status subresource.
 */
const columns = [
  { name: "Phase", type: "string", jsonPath: ".status.phase" },
  { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: "Size", type: "integer", jsonPath: ".spec.size", description: "How big it is." },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  { name: "Message", type: "string", priority: 1, jsonPath: ".status.message" }
]

const spec = {
  type: "object",
  description: "What the widget should be.",
  properties: {
    name: {
      type: "string",
      maxLength: 20,
      pattern: "^[a-z][a-z0-9-]*$",
      description: "A name for the widget."
    },
    template: { type: "string", minLength: 2 },
    size: { type: "integer", format: "int32", minimum: 1, maximum: 100, default: 1, description: "How big it is." },
    weight: { type: "number", minimum: 0, exclusiveMinimum: true },
    enabled: { type: "boolean" },
    mode: { type: "string", enum: ["Fast", "Slow"], default: "Fast" },
    zone: {
      type: "string",
      "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "zone is immutable" }]
    },
    labels: { type: "object", additionalProperties: { type: "string" } },
    settings: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    limit: { "x-kubernetes-int-or-string": true },
    tags: { type: "array", maxItems: 3, items: { type: "string" }, "x-kubernetes-list-type": "set" },
    ports: {
      type: "array",
      maxItems: 8,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: {
        type: "object",
        required: ["name", "port"],
        properties: {
          name: { type: "string" },
          port: { type: "integer", minimum: 1, maximum: 65535 },
          protocol: { type: "string", default: "TCP" }
        }
      }
    }
  },
  "x-kubernetes-validations": [
    { rule: "has(self.name) || has(self.template)", message: "one of name and template is required" },
    { rule: "!has(self.name) || !self.name.startsWith('kube-')", message: "name must not start with kube-" },
    { rule: "!has(self.weight) || self.size >= 2", message: "a widget with a weight has a size of at least 2" },
    { rule: "!has(self.tags) || self.tags.all(t, size(t) > 1)" }
  ]
}

const status = {
  type: "object",
  properties: {
    phase: { type: "string", enum: ["Progressing", "Ready", "Failed", "Deleting"] },
    observedGeneration: { type: "integer", format: "int64" },
    message: { type: "string" },
    jobs: {
      type: "array",
      items: { type: "object", properties: { jobID: { type: "string" }, state: { type: "string" } } }
    },
    conditions: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
      items: {
        type: "object",
        required: ["type", "status"],
        properties: {
          type: { type: "string" },
          status: { type: "string", enum: ["True", "False", "Unknown"] },
          reason: { type: "string" },
          message: { type: "string" },
          lastTransitionTime: { type: "string", format: "date-time" }
        }
      }
    }
  }
}

export const widgetCrd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.contract.example.com" },
  spec: {
    group: "contract.example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList", shortNames: ["wd"] },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: columns,
        selectableFields: [{ jsonPath: ".status.phase" }, { jsonPath: ".spec.mode" }],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "Widget is the resource of the contract suite.",
            required: ["spec"],
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec,
              status
            }
          }
        }
      }
    ]
  }
}
