/** A stock kubectl works against the simulator as against a cluster. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, layer, it as plain } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { eventually, LONG_TEST } from "../support/eventually.ts"
import { make, type SimulatedKubernetes } from "../support/SimulatedKubernetes.ts"
import { serve } from "../support/Wire.ts"
import { assets, leftOut, present } from "./assets.ts"
import { type Kubectl, make as kubectlFor } from "./Kubectl.ts"
import { widgetCrd } from "./widgetCrd.ts"

interface Bench {
  readonly kubernetes: SimulatedKubernetes
  readonly kubectl: Kubectl
  /** Runs kubectl, which must succeed, and returns what it says. */
  readonly run: (...args: ReadonlyArray<string>) => Effect.Effect<string>
  /** The same, which must fail. */
  readonly fails: (...args: ReadonlyArray<string>) => Effect.Effect<string>
  /** Writes a manifest and returns its file name. */
  readonly manifest: (name: string, spec: object, kind?: object) => string
}

class Simulated extends Context.Service<Simulated, Bench>()("cloudkit-operator/test/cluster/KubectlBench") {
  static readonly layer = Layer.effect(
    Simulated,
    Effect.gen(function* () {
      const kubernetes = yield* make()
      const { url } = yield* serve(kubernetes.handler)
      const kubectl = yield* kubectlFor(join(assets, "kubectl"), url)
      const expecting =
        (succeeds: boolean) =>
        (...args: ReadonlyArray<string>) =>
          Effect.map(kubectl.run(args), ({ code, output }) => {
            assert.strictEqual(code === 0, succeeds, `kubectl ${args.join(" ")}\n${output}`)
            return output
          })
      const write = (name: string, manifest: object) => {
        writeFileSync(join(kubectl.home, `${name}.json`), JSON.stringify(manifest))
        return `${name}.json`
      }
      const bench: Bench = {
        kubernetes,
        kubectl,
        run: expecting(true),
        fails: expecting(false),
        manifest: (name, spec) =>
          write(name, { apiVersion: "contract.example.com/v1alpha1", kind: "Widget", metadata: { name }, spec })
      }
      assert.include(yield* bench.run("apply", "-f", write("crd", widgetCrd)), "widgets.contract.example.com created")
      yield* bench.run("wait", "--for=condition=Established", "crd/widgets.contract.example.com", "--timeout=100s")
      return bench
    })
  )
}

type Check = (bench: Bench) => Effect.Effect<void, never, never>

/** Until nobody watches any more, or somebody does: kubectl says nothing before. */
const watches = ({ kubernetes }: Bench, open: boolean) =>
  eventually(open ? "a watch" : "no watch", kubernetes.openWatches, (count) => count > 0 === open)

const setReady = ({ run }: Bench, name: string) =>
  run(
    ...["patch", "wd", name, "--type=merge", "--subresource=status", "-p"],
    JSON.stringify({ status: { phase: "Ready", message: "fine", conditions: [{ type: "Ready", status: "True" }] } })
  )

const reads: Readonly<Record<string, Check>> = {
  "kubectl get shows the columns of the definition, and more of them with -o wide": (bench) =>
    Effect.gen(function* () {
      yield* bench.run("apply", "-f", bench.manifest("columns", { name: "x", size: 3 }))
      yield* setReady(bench, "columns")
      assert.match(
        yield* bench.run("get", "wd", "columns"),
        /^NAME +PHASE +READY +SIZE +AGE\ncolumns +Ready +True +3 +\d+s\n$/u
      )
      const wide = yield* bench.run("get", "widgets.contract.example.com", "columns", "-o", "wide")
      assert.match(wide, /AGE +MESSAGE\n.* fine\n$/u)
      assert.include(yield* bench.run("get", "wd", "-A"), "NAMESPACE")
      assert.strictEqual(yield* bench.run("get", "wd", "columns", "-o", "jsonpath={.spec.mode}"), "Fast")
      assert.match(
        yield* bench.run("get", "widget", "columns", "-o", "yaml"),
        /^apiVersion: contract.example.com\/v1alpha1\n/u
      )
    }),
  "kubectl get selects by a declared field, also where it is absent": (bench) =>
    Effect.gen(function* () {
      for (const name of ["ready", "absent"]) yield* bench.run("apply", "-f", bench.manifest(name, { name: "x" }))
      yield* setReady(bench, "ready")
      const names = (yield* bench.run("get", "wd", "--field-selector", "status.phase!=Ready", "-o", "name")).split("\n")
      assert.include(names, "widget.contract.example.com/absent")
      assert.notInclude(names, "widget.contract.example.com/ready")
      assert.include(
        yield* bench.fails("get", "wd", "--field-selector", "spec.size=1"),
        "field label not supported: spec.size"
      )
    }),
  "kubectl get -w follows an object until it is gone": (bench) =>
    Effect.gen(function* () {
      yield* bench.run("apply", "-f", bench.manifest("followed", { name: "x", size: 7 }))
      const watch = yield* bench.kubectl.follow(["get", "wd", "followed", "-w", "--output-watch-events"])
      yield* watch.until("ADDED      followed")
      yield* setReady(bench, "followed")
      yield* watch.until("MODIFIED   followed   Ready")
      yield* bench.run("delete", "wd", "followed")
      yield* watch.until("DELETED    followed")
    }).pipe(Effect.scoped),
  "kubectl describe shows the object's events, whichever API they were written through": (bench) =>
    Effect.gen(function* () {
      yield* bench.run("apply", "-f", bench.manifest("eventful", { name: "x" }))
      const uid = yield* bench.run("get", "wd", "eventful", "-o", "jsonpath={.metadata.uid}")
      const subject = {
        apiVersion: "contract.example.com/v1alpha1",
        kind: "Widget",
        name: "eventful",
        namespace: "default",
        uid
      }
      const metadata = { name: "eventful.1", namespace: "default" }
      const events = [
        {
          apiVersion: "v1",
          kind: "Event",
          metadata,
          involvedObject: subject,
          reason: "Old",
          message: "said the old way",
          type: "Normal"
        },
        {
          apiVersion: "events.k8s.io/v1",
          kind: "Event",
          metadata: { ...metadata, name: "eventful.2" },
          ...{ regarding: subject, reason: "New", note: "said the new way", type: "Warning", action: "Say" },
          ...{ reportingController: "test", reportingInstance: "test-1", eventTime: "2026-01-01T00:00:00.000000Z" }
        }
      ]
      for (const [index, event] of events.entries()) {
        writeFileSync(join(bench.kubectl.home, `event-${index}.json`), JSON.stringify(event))
        yield* bench.run("create", "-f", `event-${index}.json`)
      }
      const described = yield* bench.run("describe", "wd", "eventful")
      assert.match(described, /Normal +Old .* said the old way/u)
      assert.match(described, /Warning +New .* said the new way/u)
      assert.match(yield* bench.run("get", "events"), /Warning +New +widget\/eventful +said the new way/u)
    }),
  "kubectl explain describes fields": (bench) =>
    Effect.gen(function* () {
      assert.match(yield* bench.run("explain", "wd.spec.name"), /FIELD: name <string>[\s\S]*A name for the widget\./u)
      assert.include(yield* bench.run("explain", "widget", "--recursive"), "protocol\t<string>")
    })
}

const writes: Readonly<Record<string, Check>> = {
  "kubectl apply creates, recognises and changes, from either side": (bench) =>
    Effect.gen(function* () {
      const first = bench.manifest("applied", { name: "x", size: 3 })
      assert.include(yield* bench.run("apply", "-f", first), "created")
      assert.include(yield* bench.run("apply", "-f", first), "unchanged")
      const second = bench.manifest("applied", { name: "x", size: 4 })
      assert.include(yield* bench.run("apply", "-f", second), "configured")
      yield* bench.run("patch", "wd", "applied", "--type=merge", "-p", '{"spec":{"size":5}}')
      const refusal = yield* bench.fails("apply", "--server-side", "-f", second)
      assert.include(refusal, 'conflict with "kubectl-patch" using contract.example.com/v1alpha1: .spec.size')
      assert.include(
        yield* bench.run("apply", "--server-side", "--force-conflicts", "-f", second),
        "serverside-applied"
      )
      assert.strictEqual(yield* bench.run("get", "wd", "applied", "-o", "jsonpath={.spec.size}"), "4")
    }),
  "kubectl create refuses unknown fields and bad values in the schema's words": (bench) =>
    Effect.gen(function* () {
      const unknown = yield* bench.fails("create", "-f", bench.manifest("bad", { name: "x", sise: 1 }))
      assert.include(unknown, 'strict decoding error: unknown field "spec.sise"')
      const bad = yield* bench.fails("apply", "-f", bench.manifest("bad", { name: "kube-x", size: 400 }))
      assert.include(bad, "spec.size: Invalid value: 400: spec.size in body should be less than or equal to 100")
      assert.include(bad, "name must not start with kube-")
      assert.include(yield* bench.fails("get", "wd", "bad"), 'widgets.contract.example.com "bad" not found')
    }),
  "kubectl patch, annotate, label and edit change an object": (bench) =>
    Effect.gen(function* () {
      yield* bench.run("create", "-f", bench.manifest("edited", { name: "x", size: 2 }))
      yield* bench.run(
        "patch",
        "wd",
        "edited",
        "--type=json",
        "-p",
        '[{"op":"replace","path":"/spec/mode","value":"Slow"}]'
      )
      yield* bench.run("annotate", "wd", "edited", "note=first")
      yield* bench.run("label", "wd", "edited", "tier=one")
      const edit = yield* bench.kubectl.run(["edit", "wd", "edited"], { KUBE_EDITOR: "sed -i 's/size: 2/size: 6/'" })
      assert.strictEqual(edit.code, 0, edit.output)
      const path = "jsonpath={.spec.mode} {.metadata.annotations.note} {.metadata.labels.tier} {.spec.size}"
      assert.strictEqual(yield* bench.run("get", "wd", "edited", "-o", path), "Slow first one 6")
      assert.include(
        yield* bench.fails("patch", "wd", "edited", "--type=strategic", "-p", '{"spec":{"size":7}}'),
        "application/strategic-merge-patch+json is not supported by contract.example.com/v1alpha1"
      )
    }),
  "kubectl wait sees conditions, fields and deletion": (bench) =>
    Effect.gen(function* () {
      yield* bench.run("create", "-f", bench.manifest("awaited", { name: "x" }))
      const ready = yield* bench.kubectl.follow(["wait", "--for=condition=Ready", "wd/awaited", "--timeout=100s"])
      const phase = yield* bench.kubectl.follow([
        "wait",
        "--for=jsonpath={.status.phase}=Ready",
        "wd/awaited",
        "--timeout=100s"
      ])
      yield* setReady(bench, "awaited")
      yield* ready.until("condition met")
      yield* phase.until("condition met")
      yield* bench.run("patch", "wd", "awaited", "--type=merge", "-p", '{"metadata":{"finalizers":["held.io/here"]}}')
      yield* bench.run("delete", "wd", "awaited", "--wait=false")
      yield* watches(bench, false)
      const gone = yield* bench.kubectl.follow(["wait", "--for=delete", "wd/awaited", "--timeout=100s"])
      assert.notStrictEqual(
        yield* bench.run("get", "wd", "awaited", "-o", "jsonpath={.metadata.deletionTimestamp}"),
        ""
      )
      // of an object that it finds gone, it says nothing
      yield* watches(bench, true)
      yield* bench.run("patch", "wd", "awaited", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
      yield* gone.until("condition met")
      assert.isUndefined(yield* bench.kubernetes.object("default", "awaited"))
    }).pipe(Effect.scoped)
}

if (present("kubectl")) {
  layer(Simulated.layer, { excludeTestServices: true, timeout: LONG_TEST })("kubectl", (it) => {
    for (const [name, check] of [...Object.entries(reads), ...Object.entries(writes)]) {
      it.effect(name, () => Effect.flatMap(Simulated, check), LONG_TEST)
    }
  })
} else {
  const line = leftOut("kubectl against the simulator")
  plain("says what is left out without KUBEBUILDER_ASSETS, and how to have it", () => {
    assert.include(line, "setup-envtest use -p path")
  })
}
