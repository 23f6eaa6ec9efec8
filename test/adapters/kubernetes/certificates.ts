/**
 * Certificates made on the spot, so that TLS is tested without key files in the repository that expire one day: a small
 * X.509 encoder for EC keys, enough for one CA and what it signs.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

export interface Identity {
  readonly cert: string
  readonly key: string
  readonly sign: (subject: string, validFor?: number) => Identity
}

const tlv = (tag: number, ...content: ReadonlyArray<Uint8Array>): Buffer => {
  const body = Buffer.concat(content)
  const size = body.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const sequence = (...content: ReadonlyArray<Uint8Array>) => tlv(0x30, ...content)
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, "hex"))
const bitString = (bytes: Uint8Array) => tlv(0x03, Buffer.from([0]), bytes)

const ECDSA_WITH_SHA256 = sequence(oid("2a8648ce3d040302"))
const name = (common: string) => sequence(tlv(0x31, sequence(oid("550403"), tlv(0x0c, Buffer.from(common)))))
const utcTime = (milliseconds: number) =>
  tlv(
    0x17,
    Buffer.from(
      `${new Date(milliseconds)
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, "")
        .slice(2)}`
    )
  )
const extension = (id: string, value: Uint8Array) => sequence(oid(id), tlv(0x04, value))

/** Both names under which a test server on the loopback interface is reached. */
const subjectNames = () =>
  sequence(
    tlv(0x82, Buffer.from("localhost")),
    tlv(0x82, Buffer.from("kubernetes.test")),
    tlv(0x87, Buffer.from([127, 0, 0, 1]))
  )

const pem = (label: string, der: Uint8Array): string => {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n")
}

const DAY = 24 * 3600 * 1000

interface Issuer {
  readonly name: string
  readonly key: KeyObject
}

const issue = (subject: string, validFor: number, issuer: Issuer | undefined): Identity => {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const ca = issuer === undefined
  const { name: issuerName, key: issuerKey } = issuer ?? { name: subject, key: pair.privateKey }
  const until = Date.now() + validFor
  const certificate = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    name(issuerName),
    sequence(utcTime(until - 2 * DAY), utcTime(until)),
    name(subject),
    pair.publicKey.export({ type: "spki", format: "der" }),
    tlv(
      0xa3,
      sequence(
        extension("551d13", ca ? sequence(tlv(0x01, Buffer.from([0xff]))) : sequence()),
        extension("551d11", subjectNames())
      )
    )
  )
  const signature = sign("sha256", certificate, issuerKey)
  return {
    cert: pem("CERTIFICATE", sequence(certificate, ECDSA_WITH_SHA256, bitString(signature))),
    key: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    sign: (leaf, leafValidFor = DAY) => issue(leaf, leafValidFor, { name: subject, key: pair.privateKey })
  }
}

/** A certificate authority; `sign` issues certificates for 127.0.0.1, localhost and kubernetes.test. */
export const makeAuthority = (subject: string): Identity => issue(subject, DAY, undefined)
