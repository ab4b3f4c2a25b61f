import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ContinuoError, formatTime, hasReason, systemClock, systemRandom } from '@continuo/core'
import { publicKeyPin } from '@continuo/lib-certificates'
import { parseDuration } from '@continuo/lib-quantity'
import { createHttpClient, type HttpClient, readKubeconfig } from '@continuo/plugin-client-http'
import { Secret } from '@continuo/workload'
import Table from 'cli-table3'
import {
  controlPlaneGroup,
  formatToken,
  hasExpired,
  newToken,
  nodeGroup,
  tokenFacts,
  tokenName,
  tokenNamespace,
  tokenSecret,
  tokenType,
} from '../join/bootstrap-token.ts'
import { publishClusterInfo, withdrawSignature } from '../join/cluster-info.ts'
import { newCertificateKey, sealKeys } from '../join/control-plane-keys.ts'
import { kubeconfigPath } from './flags.ts'

interface AccessFlags {
  readonly dataDir: string
  readonly kubeconfig?: string
}

export interface TokenCreateFlags extends AccessFlags {
  readonly ttl: string
  readonly description: string
  readonly controlPlane?: boolean
  readonly server?: string
}

/** `continuo token create`: a token, and the line that joins another machine with it. */
export async function createToken(flags: TokenCreateFlags): Promise<void> {
  const kubeconfig = kubeconfigPath(flags)
  const access = await readKubeconfig(kubeconfig)
  const authority = access.ca ?? (access.caFile === undefined ? undefined : await readFile(access.caFile, 'utf8'))
  if (authority === undefined)
    throw new ContinuoError(
      'JOIN_NO_AUTHORITY',
      `the kubeconfig ${kubeconfig} names no authority, by which others could recognise the cluster`,
      {
        hint: 'machines join over TLS: remove `tls: false` from the config of the API',
      },
    )
  const server = new URL(flags.server ?? access.server).origin
  const lifeMs = parseDuration(flags.ttl)
  const token = newToken(systemRandom)
  await using client = await createHttpClient({ kubeconfig })
  await deleteExpired(client)
  await publishClusterInfo(client, { server, authority }, token)
  const groups = flags.controlPlane === true ? [nodeGroup, controlPlaneGroup] : [nodeGroup]
  const expires = lifeMs === 0 ? undefined : systemClock.now() + lifeMs
  const line = [`continuo join ${server}`, `--token ${formatToken(token)}`, `--ca-hash ${publicKeyPin(authority)}`]
  if (flags.controlPlane === true) {
    const key = newCertificateKey(systemRandom)
    const keys = await sealKeys(resolve(flags.dataDir), key, systemRandom)
    await client.for(Secret).apply(keys, { fieldManager: 'continuo-token', force: true })
    line.push(`--control-plane --certificate-key ${key}`)
  }
  await client.for(Secret).create(tokenSecret(token, { expires, groups, description: flags.description }))
  process.stdout.write(`${line.join(' ')}\n`)
}

/** `continuo token list`. */
export async function listTokens(flags: AccessFlags): Promise<void> {
  await using client = await createHttpClient({ kubeconfig: kubeconfigPath(flags) })
  const now = systemClock.now()
  const table = new Table({
    head: ['TOKEN ID', 'EXPIRES', 'USAGES', 'GROUPS', 'DESCRIPTION'],
    style: { head: [], border: [], compact: true },
    chars: plain,
  })
  for (const facts of (await tokens(client)).map(tokenFacts))
    table.push([
      facts.id,
      facts.expires === undefined ? 'never' : hasExpired(facts, now) ? 'expired' : formatTime(facts.expires),
      facts.usages.join(','),
      facts.groups.join(','),
      facts.description,
    ])
  process.stdout.write(`${table.toString()}\n`)
}

/** `continuo token delete ID`: by the first half of the token, or all of it. */
export async function deleteToken(text: string, flags: AccessFlags): Promise<void> {
  const [id = ''] = text.split('.')
  await using client = await createHttpClient({ kubeconfig: kubeconfigPath(flags) })
  try {
    await client.for(Secret).delete({ namespace: tokenNamespace, name: tokenName(id) })
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
    throw new ContinuoError('TOKEN_UNKNOWN', `there is no token ${JSON.stringify(id)}`, { hint: 'continuo token list shows all' })
  }
  await withdrawSignature(client, id)
  process.stdout.write(`token ${id} deleted\n`)
}

const tokens = async (client: HttpClient) =>
  (await client.for(Secret).list({ namespace: tokenNamespace, fieldSelector: `type=${tokenType}` })).items

async function deleteExpired(client: HttpClient): Promise<void> {
  const now = systemClock.now()
  for (const secret of await tokens(client)) {
    const facts = tokenFacts(secret)
    if (!hasExpired(facts, now)) continue
    await client.for(Secret).delete({ namespace: tokenNamespace, name: secret.metadata.name })
    await withdrawSignature(client, facts.id)
  }
}

const plain = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, name === 'middle' ? '  ' : '']),
)
