import { request } from 'node:https'
import { type Clock, ContinuoError } from '@continuo/core'
import { publicKeyPin } from '@continuo/lib-certificates'
import { parse } from 'yaml'
import { clusterInfoPath } from './cluster-info.ts'

const timeoutMs = 15_000
/** Longest answer that is read from a server that nobody has vouched for yet. */
const maxBytes = 256 * 1024

/** Origin of the API; `HOST:PORT` stands for https. Throws `JOIN_URL`. */
export function apiOrigin(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`)
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.pathname !== '/' || url.search !== '')
    throw new ContinuoError('JOIN_URL', `${JSON.stringify(text)} is not the address of an API`, {
      hint: 'it must be https://HOST:PORT, as continuo token create prints it',
    })
  return url.origin
}

/**
 * The authority of the cluster at an origin, PEM: read from the server before it is trusted, and trusted because its public key is the one
 * that `pin` names. Throws `JOIN_HASH_FORM`, `JOIN_UNREACHABLE`, `JOIN_NO_CLUSTER_INFO`, `JOIN_WRONG_CLUSTER`.
 */
export async function discoverAuthority(origin: string, pin: string, clock: Clock): Promise<string> {
  if (!/^sha256:[0-9a-f]{64}$/.test(pin))
    throw new ContinuoError('JOIN_HASH_FORM', 'the hash of the authority does not have the form sha256:<64 hexadecimal digits>', {
      hint: 'take the whole line that continuo token create printed',
    })
  const authority = authorityOf(await readClusterInfo(origin, clock), origin)
  const found = publicKeyPin(authority)
  if (found === pin) return authority
  throw new ContinuoError('JOIN_WRONG_CLUSTER', `the API at ${origin} belongs to another cluster: its authority is ${found}, not ${pin}`, {
    hint: 'check the address and the hash; if both are right, somebody stands between this machine and the API',
  })
}

function readClusterInfo(origin: string, clock: Clock): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => {
      cancel()
      asked.destroy()
      reject(
        new ContinuoError('JOIN_UNREACHABLE', `the API at ${origin} cannot be reached: ${why}`, {
          hint: 'check that the control plane runs, listens on an address that this machine reaches, and that no firewall is between',
          cause,
        }),
      )
    }
    // Nothing secret is sent, and nothing of the answer is believed before its hash was compared.
    const asked = request(new URL(clusterInfoPath, origin), { rejectUnauthorized: false, agent: false })
    const cancel = clock.after(timeoutMs, () => fail(`no answer within ${timeoutMs / 1_000} s`))
    asked.once('error', (cause) => fail(cause.message, cause))
    asked.once('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
        if (text.length > maxBytes) fail('its answer is too long')
      })
      answer.once('error', (cause) => fail(cause.message, cause))
      answer.once('end', () => {
        cancel()
        if (answer.statusCode === 200) resolve(text)
        else reject(noClusterInfo(origin, `it answered ${answer.statusCode}`))
      })
    })
    asked.end()
  })
}

const noClusterInfo = (origin: string, why: string, cause?: unknown): ContinuoError =>
  new ContinuoError('JOIN_NO_CLUSTER_INFO', `the API at ${origin} does not say which cluster it is: ${why}`, {
    hint: 'make a token on the control plane with continuo token create, which publishes it',
    cause,
  })

function authorityOf(text: string, origin: string): string {
  try {
    const kubeconfig = parse((JSON.parse(text) as { data: { kubeconfig: string } }).data.kubeconfig, { maxAliasCount: 0 })
    const data: unknown = kubeconfig.clusters[0].cluster['certificate-authority-data']
    const pem = Buffer.from(String(data), 'base64').toString('utf8')
    publicKeyPin(pem)
    return pem
  } catch (cause) {
    throw noClusterInfo(origin, 'its cluster-info cannot be read', cause)
  }
}
