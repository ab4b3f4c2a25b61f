import { ApiError, type DeepReadonly, type UnstructuredObject } from '@continuo/core'
import type { ConnectHandler, ConnectRequest, ConnectTarget, NodeDialer } from '@continuo/workload'

interface PodShape {
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly { readonly name: string }[]
    readonly initContainers?: readonly { readonly name: string }[]
    readonly ephemeralContainers?: readonly { readonly name: string }[]
  }
}

const streamUpgrades = ['websocket', 'spdy/3.1']

const namesOf = (pod: PodShape): string[] =>
  [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []), ...(pod.spec?.ephemeralContainers ?? [])].map(
    (container) => container.name,
  )

/** The container that a request means. Throws 400 when it must be named, or does not exist. Pure. */
export function chooseContainer(pod: DeepReadonly<UnstructuredObject>, asked: string | null): string {
  const spec = pod as unknown as PodShape
  const { name } = pod.metadata
  if (asked !== null && asked !== '') {
    if (!namesOf(spec).includes(asked)) throw new ApiError('BadRequest', `container ${asked} is not valid for pod ${name}`)
    return asked
  }
  const preset = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (preset !== undefined && namesOf(spec).includes(preset)) return preset
  const containers = (spec.spec?.containers ?? []).map((container) => container.name)
  if (containers.length === 1) return containers[0] as string
  if (containers.length === 0) throw new ApiError('BadRequest', `a container name must be specified for pod ${name}`)
  const initial = (spec.spec?.initContainers ?? []).map((container) => container.name)
  throw new ApiError(
    'BadRequest',
    `a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]${initial.length === 0 ? '' : ` or one of the init containers: [${initial.join(' ')}]`}`,
  )
}

/** The node on which a pod runs. Throws 400 for one that has none. */
function nodeOf(pod: DeepReadonly<UnstructuredObject>): string {
  const node = (pod as unknown as PodShape).spec?.nodeName
  if (node === undefined || node === '') throw new ApiError('BadRequest', `pod ${pod.metadata.name} does not have a host assigned`)
  return node
}

const segment = encodeURIComponent

const withQuery = (path: string, query: URLSearchParams): string => (query.size === 0 ? path : `${path}?${query}`)

/** Copies the parameters that the agent knows; flags only when they are set. */
function pick(query: URLSearchParams, names: readonly string[], flags: readonly string[]): URLSearchParams {
  const picked = new URLSearchParams()
  for (const name of names) for (const value of query.getAll(name)) if (value !== '') picked.append(name, value)
  for (const name of flags) {
    const value = query.get(name)
    if (value !== null && value !== '0' && value.toLowerCase() !== 'false') picked.set(name, 'true')
  }
  return picked
}

const wholeNumbers = ['tailLines', 'sinceSeconds', 'limitBytes'] as const

/** Refuses what the agent could not read, in the words of Kubernetes. Pure. */
export function checkLogOptions(query: URLSearchParams): void {
  const fault = (field: string, message: string): ApiError =>
    new ApiError('Invalid', `PodLogOptions "" is invalid: ${field}: ${message}`, {
      kind: 'PodLogOptions',
      causes: [{ reason: 'FieldValueInvalid', field, message }],
    })
  for (const name of wholeNumbers) {
    const text = query.get(name)
    if (text === null || text === '') continue
    if (!/^-?\d{1,15}$/.test(text))
      throw new ApiError('BadRequest', `the query parameter ${name} is ${JSON.stringify(text.slice(0, 100))}: it must be a whole number`)
    const min = name === 'tailLines' ? 0 : 1
    if (Number(text) < min) throw fault(name, `Invalid value: ${text}: must be greater than or equal to ${min}`)
  }
  if ((query.get('sinceSeconds') ?? '') !== '' && (query.get('sinceTime') ?? '') !== '')
    throw fault('sinceSeconds', 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified')
  const since = query.get('sinceTime')
  if (since !== null && since !== '' && Number.isNaN(Date.parse(since)))
    throw new ApiError(
      'BadRequest',
      `the query parameter sinceTime is ${JSON.stringify(since.slice(0, 100))}: it must be a time as in RFC 3339`,
    )
}

/** What each stream needs of its caller's parameters; the agent's paths are those of a kubelet. */
function pathOf(kind: 'log' | 'exec' | 'attach' | 'portforward', request: ConnectRequest): string {
  const { object, query } = request
  const place = `${segment(object.metadata.namespace ?? '')}/${segment(object.metadata.name)}`
  if (kind === 'portforward') return withQuery(`/portForward/${place}`, pick(query, ['ports'], []))
  const container = segment(chooseContainer(object, query.get('container')))
  if (kind === 'log') {
    checkLogOptions(query)
    return withQuery(
      `/containerLogs/${place}/${container}`,
      pick(query, [...wholeNumbers, 'sinceTime', 'stream'], ['follow', 'previous', 'timestamps']),
    )
  }
  if (kind === 'exec' && query.getAll('command').every((word) => word === ''))
    throw new ApiError('BadRequest', 'you must specify at least 1 command for the container')
  const flags = ['stdin', 'stdout', 'stderr', 'tty']
  const picked = pick(query, [], flags)
  for (const word of kind === 'exec' ? query.getAll('command') : []) picked.append('command', word)
  if (!['stdin', 'stdout', 'stderr'].some((flag) => picked.has(flag)))
    throw new ApiError('BadRequest', 'you must specify at least one of stdin, stdout, stderr')
  return withQuery(`/${kind}/${place}/${container}`, picked)
}

function dial(dialer: NodeDialer | undefined, node: string): ConnectTarget['open'] {
  return async (signal) => {
    const refuse = (cause?: unknown): ApiError =>
      new ApiError('ServiceUnavailable', `node ${node} is not connected to this server`, { retryAfterSeconds: 1 }, { cause })
    if (dialer === undefined) throw refuse()
    try {
      return await dialer.dial(node, signal)
    } catch (error) {
      throw refuse(error)
    }
  }
}

const streamHandler = (kind: 'log' | 'exec' | 'attach' | 'portforward', dialer: NodeDialer | undefined): ConnectHandler => ({
  connect(request) {
    const path = pathOf(kind, request)
    const node = nodeOf(request.object)
    return { open: dial(dialer, node), path, host: node, ...(kind === 'log' ? {} : { upgrades: streamUpgrades }) }
  },
})

/** Agents answer for their own node: `nodes/<name>/proxy/<path>` is a call of the agent's server. */
const nodeProxy = (dialer: NodeDialer | undefined): ConnectHandler => ({
  connect({ ref, asked, object, rest, query }) {
    const node = object.metadata.name
    return {
      open: dial(dialer, node),
      path: withQuery(rest === '' ? '/' : rest, query),
      host: node,
      upgrades: streamUpgrades,
      transparent: true,
      prefix: `/api/${ref.version}/nodes/${segment(asked)}/proxy`,
    }
  },
})

/** Handlers of the streams of pods and nodes, by `group/plural/subresource`. */
export const podConnectHandlers = (dialer: NodeDialer | undefined): ReadonlyMap<string, ConnectHandler> =>
  new Map([
    ['/pods/log', streamHandler('log', dialer)],
    ['/pods/exec', streamHandler('exec', dialer)],
    ['/pods/attach', streamHandler('attach', dialer)],
    ['/pods/portforward', streamHandler('portforward', dialer)],
    ['/nodes/proxy', nodeProxy(dialer)],
  ])
