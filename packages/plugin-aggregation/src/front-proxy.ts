import { hasReason, type ObjectClient, type UserInfo } from '@continuo/core'
import { CertificateDirectory } from '@continuo/lib-certificates'
import { ConfigMap } from '@continuo/workload'

const commonName = 'front-proxy-client'
const configMap = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }
const attempts = 5

/** By which other servers know that a request comes from this API, and whose it is. */
export interface FrontProxy {
  /** PEM of the authority that signed the certificate, and nothing else. */
  readonly authority: string
  readonly certificate: string
  readonly privateKey: string
}

/** Keeps and renews the certificate below the directory. Throws `CertificateError`. */
export async function ensureFrontProxy(directory: string, now: number): Promise<FrontProxy> {
  const files = new CertificateDirectory(directory)
  const authority = await files.ensureAuthority({ commonName: 'continuo-front-proxy', now })
  const { certificate, privateKey } = await files.ensureCertificate('front-proxy', authority, {
    subject: { commonName },
    usage: 'client',
    now,
  })
  return { authority: authority.certificate, certificate, privateKey }
}

/** A header's name holds few characters: others are percent-encoded, as Kubernetes does. */
const headerKey = (key: string): string =>
  encodeURIComponent(key.toLowerCase()).replaceAll(/[()*']/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** The caller's identity as headers. They take the place of any that the client sent. Pure. */
export function identityHeaders({ username, uid, groups = [], extra = {} }: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'x-remote-user': username }
  if (groups.length > 0) headers['x-remote-group'] = [...groups]
  if (uid !== undefined && uid !== '') headers['x-remote-uid'] = uid
  for (const [key, values] of Object.entries(extra)) if (values.length > 0) headers[`x-remote-extra-${headerKey(key)}`] = [...values]
  return headers
}

/** What servers read to recognise such requests. Pure. */
export const authenticationData = (proxyAuthority: string, clientAuthority: string | undefined): Record<string, string> => ({
  ...(clientAuthority === undefined ? {} : { 'client-ca-file': clientAuthority }),
  'requestheader-allowed-names': JSON.stringify([commonName]),
  'requestheader-client-ca-file': proxyAuthority,
  'requestheader-extra-headers-prefix': JSON.stringify(['X-Remote-Extra-']),
  'requestheader-group-headers': JSON.stringify(['X-Remote-Group']),
  'requestheader-uid-headers': JSON.stringify(['X-Remote-Uid']),
  'requestheader-username-headers': JSON.stringify(['X-Remote-User']),
})

/** Publishes it where extension servers look for it. Throws `ApiError`. */
export async function publishAuthentication(client: ObjectClient, data: Record<string, string>): Promise<void> {
  const maps = client.for(ConfigMap)
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await maps.get(configMap).catch((error: unknown) => {
        if (hasReason(error, 'NotFound')) return undefined
        throw error
      })
      if (found === undefined) return void (await maps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...configMap }, data }))
      if (Object.entries(data).every(([key, value]) => found.data?.[key] === value)) return
      return void (await maps.update({ ...found, data: { ...found.data, ...data } }))
    } catch (error) {
      // Another replica was quicker, or the namespace is not there yet.
      if (attempt === attempts || !hasReason(error, 'AlreadyExists', 'Conflict')) throw error
    }
  }
}
