/**
 * A cluster with our CustomResourceDefinition that other processes can reach: a real kube-apiserver where there is one, the
 * simulated one on a loopback port elsewhere.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { connect } from "node:tls"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Ref, Schedule } from "effect"
import { HttpClient } from "effect/http"
import { assets, present } from "../cluster/assets.ts"
import { start } from "../cluster/ControlPlane.ts"
import { computeInstanceCrd } from "../cluster/computeInstance.ts"
import { type Cluster, clusterOf } from "../cluster/contract/Cluster.ts"
import { make } from "../support/SimulatedKubernetes.ts"
import { serve, type WireHandler } from "../support/Wire.ts"
import { temporaryFolder } from "./Process.ts"

export interface Site {
  readonly url: string
  /** The file of the authority that vouches for the server; empty where it speaks plain HTTP. */
  readonly certificate: string
  readonly operatorToken: string
  readonly playbookToken: string
  readonly cluster: Cluster
  /** How often ComputeInstances were read so far, watches apart, whoever did. */
  readonly reads: Effect.Effect<number>
}

export class Here extends Context.Service<Here, Site>()("cloudkit-operator/test/rulebook/Site") {}

const operatorToken = "operator-token"
const playbookToken = "playbook-token"

const counting =
  (handler: WireHandler, count: Ref.Ref<number>): WireHandler =>
  (request) =>
    request.method === "GET" &&
    request.url.pathname.includes("/computeinstances") &&
    !request.url.searchParams.has("watch")
      ? Effect.andThen(
          Ref.update(count, (n) => n + 1),
          handler(request)
        )
      : handler(request)

const simulated = Layer.effect(
  Here,
  Effect.gen(function* () {
    const kubernetes = yield* make({ crds: [computeInstanceCrd] })
    const count = yield* Ref.make(0)
    const { url } = yield* serve(counting(kubernetes.handler, count))
    const cluster = clusterOf(yield* HttpClient.HttpClient, url, kubernetes.compact)
    return { url, certificate: "", operatorToken, playbookToken, cluster, reads: Ref.get(count) }
  })
).pipe(Layer.provide(NodeHttpClient.layerUndici))

/** The authority at the end of the chain that the server shows. It is of this very moment and of this machine. */
const authorityOf = (url: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      let certificate = socket.getPeerCertificate(true)
      while (certificate.issuerCertificate.fingerprint256 !== certificate.fingerprint256)
        certificate = certificate.issuerCertificate
      socket.destroy()
      const lines = certificate.raw.toString("base64").replace(/.{64}(?=.)/gu, "$&\n")
      resume(Effect.succeed(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`))
    })
    socket.once("error", (cause) => resume(Effect.die(cause)))
  })

/** Of the server's own counters. */
const readsIn = (metrics: string): number =>
  metrics
    .split("\n")
    .filter((line) => /^apiserver_request_total\{.*resource="computeinstances"/u.test(line))
    .filter((line) => /verb="(?:GET|LIST)"/u.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0)

const real = Layer.effect(
  Here,
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const groups = "system:masters"
    const plane = yield* start({
      assets,
      tokens: [
        `admin-token,admin,1,${groups}`,
        `${operatorToken},operator,2,${groups}`,
        `${playbookToken},playbook,3,${groups}`
      ]
    })
    const certificate = join(folder, "authority.pem")
    writeFileSync(certificate, yield* authorityOf(plane.url))
    const cluster = clusterOf(plane.client, plane.url, Effect.orDie(plane.compact))
    const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    const answer = yield* cluster.ask(definitions, { method: "POST", body: computeInstanceCrd })
    assert.strictEqual(answer.status, 201, answer.text)
    yield* Effect.repeat(cluster.ask("/apis/cloudkit.openshift.io/v1alpha1/computeinstances"), {
      schedule: Schedule.spaced("100 millis"),
      until: ({ status }) => status === 200
    })
    const reads = Effect.map(cluster.ask("/metrics"), ({ text }) => readsIn(text))
    return { url: plane.url, certificate, operatorToken, playbookToken, cluster, reads }
  })
)

/** What the operator and the playbooks work on, in the words of a test's name. */
export const [what, layer] = present("etcd", "kube-apiserver")
  ? (["a real kube-apiserver", real] as const)
  : (["the simulated API server", simulated] as const)
