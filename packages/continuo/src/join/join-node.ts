import { hostname } from 'node:os'
import { type Clock, ContinuoError, hasReason, isApiError } from '@continuo/core'
import { createHttpClient, type HttpClient } from '@continuo/plugin-client-http'
import { requestNodeCertificate } from '@continuo/plugin-node'
import { Node, Secret } from '@continuo/workload'
import { parseToken, tokenNamespace } from './bootstrap-token.ts'
import { controlPlaneSecret, openKeys } from './control-plane-keys.ts'
import { apiOrigin, discoverAuthority } from './discover.ts'
import { writeNodeFiles } from './node-files.ts'

export interface JoinOptions {
  /** Address of the API. */
  readonly url: string
  readonly token: string
  /** Hash of the authority's public key. */
  readonly caHash: string
  readonly dataDir: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

export interface JoinNodeOptions extends JoinOptions {
  /** Default: the host's name in lower case. */
  readonly node?: string
  /** Config file that the node's own extends, and its slots that must know the node's name. */
  readonly base: string
  readonly named: readonly string[]
  /** Time for somebody to approve the certificate. */
  readonly timeoutMs?: number
}

/** Time for one request; a control plane that starts just now answers later than others. */
const requestTimeoutMs = 15_000

/**
 * Makes this machine a node: finds the cluster, has a certificate signed by means of the token, and writes what the node's process needs below
 * the data directory. Resolves with the node's name. Throws `JOIN_*` and `NODE_CERTIFICATE_*`, each with what to do.
 */
export async function joinNode(options: JoinNodeOptions): Promise<string> {
  const { dataDir, clock, signal, base, named, timeoutMs } = options
  const node = options.node ?? hostname().toLowerCase()
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(node))
    throw new ContinuoError('JOIN_NODE_NAME', `${JSON.stringify(node)} cannot be the name of a node`, {
      hint: 'name it with --node-name: lower-case letters, digits, dots and hyphens',
    })
  const { client, server, authority } = await bootstrapClient(options)
  try {
    await refuseLivingNode(client, node)
    const certificate = await requestNodeCertificate({ client, node, clock, signal, timeoutMs })
    await writeNodeFiles({ dataDir, server, node, base, named }, authority, certificate)
    return node
  } catch (error) {
    throw explained(error, server)
  } finally {
    await client.close()
  }
}

/** Brings the keys that replicas of a control plane share into the data directory. Throws `JOIN_*`. */
export async function joinControlPlane(options: JoinOptions & { readonly certificateKey: string }): Promise<void> {
  const { client, server } = await bootstrapClient(options)
  try {
    const secret = await client.for(Secret).get({ namespace: tokenNamespace, name: controlPlaneSecret })
    await openKeys(secret, options.certificateKey, options.dataDir)
  } catch (error) {
    throw explained(error, server)
  } finally {
    await client.close()
  }
}

async function bootstrapClient({ url, token, caHash, clock }: JoinOptions) {
  parseToken(token)
  const server = apiOrigin(url)
  const authority = await discoverAuthority(server, caHash, clock)
  return { server, authority, client: await createHttpClient({ server, ca: authority, token, clock, requestTimeoutMs }) }
}

/** A node of that name that lives would have its pods taken over by another machine. */
async function refuseLivingNode(client: HttpClient, node: string): Promise<void> {
  const found = await client
    .for(Node)
    .get(node)
    .catch((error: unknown) => {
      if (hasReason(error, 'NotFound') || hasReason(error, 'Forbidden')) return undefined
      throw error
    })
  const isReady = found?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  if (isReady === true)
    throw new ContinuoError('JOIN_NODE_EXISTS', `the cluster has a node ${JSON.stringify(node)} already, and it is ready`, {
      hint: `choose another name with --node-name, or stop that node and kubectl delete node ${node}`,
    })
}

function explained(error: unknown, server: string): unknown {
  if (!isApiError(error)) return error
  if (error.reason === 'Unauthorized')
    return new ContinuoError(
      'JOIN_TOKEN',
      `the API at ${server} does not accept the token: it has expired, was deleted, or never was one`,
      {
        hint: 'make a new one on the control plane with continuo token create',
        cause: error,
      },
    )
  if (error.reason === 'NotFound')
    return new ContinuoError('JOIN_NO_CONTROL_PLANE_KEYS', `the API at ${server} has no keys for another control plane`, {
      hint: 'make a token for it with continuo token create --control-plane',
      cause: error,
    })
  return new ContinuoError('JOIN_REFUSED', `the API at ${server} does not let this machine join: ${error.message}`, {
    hint: 'the token must come from continuo token create, for a control plane with --control-plane',
    cause: error,
  })
}
