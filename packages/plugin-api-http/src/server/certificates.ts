import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { CertificateDirectory, issueCertificate, type KeyPair } from '@continuo/lib-certificates'
import type { ClientCredential } from '@continuo/workload'
import type { TlsMaterial } from './listener.ts'

/** Names by which programs inside a cluster know the API. */
const clusterNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']

export interface CertificateRequest {
  readonly directory: string
  /** Address of the listener, and the advertised name. */
  readonly hosts: readonly string[]
  readonly names: readonly string[]
  /** Wall milliseconds. */
  readonly now: number
}

export interface ApiCertificates {
  readonly authority: KeyPair
  readonly tls: TlsMaterial
  readonly admin: ClientCredential
}

const wildcards = new Set(['0.0.0.0', '::', ''])

/** Every name that the certificate of the server bears. Pure. */
export const servingNames = (hosts: readonly string[], names: readonly string[], machine: string): readonly string[] => [
  ...new Set([
    'localhost',
    '127.0.0.1',
    '::1',
    ...(/^[a-z0-9.-]+$/i.test(machine) ? [machine.toLowerCase()] : []),
    ...clusterNames,
    ...hosts.filter((host) => !wildcards.has(host)),
    ...names,
  ]),
]

/** The address that stands in URLs: brackets around IPv6, something that can be reached for a wildcard. */
export const urlHost = (host: string): string => (wildcards.has(host) ? '127.0.0.1' : isIP(host) === 6 ? `[${host}]` : host)

/** Keeps and renews what the server needs below its directory. Throws `CertificateError`. */
export async function ensureCertificates({ directory, hosts, names, now }: CertificateRequest): Promise<ApiCertificates> {
  const files = new CertificateDirectory(directory)
  const authority = await files.ensureAuthority({ commonName: 'continuo', now })
  const server = await files.ensureCertificate('api', authority, {
    subject: { commonName: 'continuo-api' },
    usage: 'server',
    names: servingNames(hosts, names, hostname()),
    now,
  })
  const admin = await files.ensureCertificate('admin', authority, {
    subject: { commonName: 'continuo-admin', organizations: ['system:masters'] },
    usage: 'client',
    now,
  })
  return {
    authority,
    tls: { certificate: server.certificate, privateKey: server.privateKey, clientAuthority: authority.certificate },
    admin: { certificate: admin.certificate, privateKey: admin.privateKey },
  }
}

/** A client certificate for a user and its groups. */
export const issueClient = (
  authority: KeyPair,
  user: { readonly name: string; readonly groups: readonly string[] },
  validDays: number,
  now: number,
): Promise<ClientCredential> =>
  issueCertificate(authority, { subject: { commonName: user.name, organizations: user.groups }, usage: 'client', now, validDays })
