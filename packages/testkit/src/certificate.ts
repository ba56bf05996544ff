import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'
import * as der from './der.ts'

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  cert: string
  key: string
}

/** Who a certificate is for. */
export interface Subject {
  commonName: string
  organization?: string
  /** Names and IPv4 addresses that a TLS server answers to. Left out: a client's certificate. */
  server?: string[]
  /** Its time is over. */
  expired?: boolean
}

/** An own certificate authority; P-256 keys, SHA-256, valid for ten years. */
export interface CertificateAuthority {
  /** Its self-signed certificate. */
  pem: string
  issue(subject: Subject): KeyPair
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}

/** Makes a new certificate authority. */
export function certificateAuthority(commonName: string): CertificateAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer: Issuer = {
    name: nameOf({ commonName }),
    privateKey: keys.privateKey,
    keyId: keyIdOf(keys.publicKey),
  }
  const pem = certificate(issuer, issuer.name, keys.publicKey, { extensions: authorityExtensions() })
  return {
    pem,
    issue(subject) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      return {
        cert: certificate(issuer, nameOf(subject), publicKey, {
          extensions: leafExtensions(subject),
          expired: subject.expired === true,
        }),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}

interface Issuer {
  name: Buffer
  privateKey: KeyObject
  keyId: Buffer
}

function certificate(
  issuer: Issuer,
  subject: Buffer,
  publicKey: KeyObject,
  { extensions, expired = false }: { extensions: Buffer[]; expired?: boolean },
): string {
  const algorithm = der.sequence(der.objectId(OID.ecdsaWithSha256))
  const signed = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    issuer.name,
    validity(expired),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...extensions, ...keyIdExtensions(issuer, publicKey))),
  )
  const signature = sign('sha256', signed, issuer.privateKey)
  return pemOf(der.sequence(signed, algorithm, der.bitString(signature)))
}

/** From an hour ago, so that a clock that is a little behind accepts it. */
function validity(expired: boolean): Buffer {
  const hour = 3_600_000
  const now = Date.now()
  const [from, until] = expired
    ? [now - 48 * hour, now - 24 * hour]
    : [now - hour, now + 10 * 365 * 24 * hour]
  return der.sequence(der.time(new Date(from)), der.time(new Date(until)))
}

function nameOf({ commonName, organization }: Subject): Buffer {
  const part = (oid: string, value: string) => der.set(der.sequence(der.objectId(oid), der.utf8String(value)))
  const parts = organization === undefined ? [] : [part(OID.organization, organization)]
  return der.sequence(...parts, part(OID.commonName, commonName))
}

function authorityExtensions(): Buffer[] {
  const signsCertificates = Buffer.from([0x03, 0x02, 0x01, 0x06])
  return [
    extension(OID.basicConstraints, der.sequence(der.boolean(true)), true),
    extension(OID.keyUsage, signsCertificates, true),
  ]
}

function leafExtensions({ server }: Subject): Buffer[] {
  const digitalSignature = Buffer.from([0x03, 0x02, 0x07, 0x80])
  const purpose = der.objectId(server ? OID.serverAuth : OID.clientAuth)
  const names = server ? [extension(OID.subjectAltName, der.sequence(...server.map(alternativeName)))] : []
  return [
    extension(OID.keyUsage, digitalSignature, true),
    extension(OID.extendedKeyUsage, der.sequence(purpose)),
    ...names,
  ]
}

function keyIdExtensions(issuer: Issuer, publicKey: KeyObject): Buffer[] {
  return [
    extension(OID.subjectKeyId, der.octetString(keyIdOf(publicKey))),
    extension(OID.authorityKeyId, der.sequence(der.implicit(0, issuer.keyId))),
  ]
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return der.sequence(der.objectId(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value))
}

function alternativeName(name: string): Buffer {
  if (!isIPv4(name)) return der.implicit(2, Buffer.from(name))
  return der.implicit(7, Buffer.from(name.split('.').map(Number)))
}

function keyIdOf(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20)
}

function pemOf(content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
