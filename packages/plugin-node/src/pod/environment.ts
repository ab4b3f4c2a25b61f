import { ContinuoError, type DeepReadonly } from '@continuo/core'
import { quantityMilliValue, quantityToNumber } from '@continuo/lib-quantity'
import type { Service } from '@continuo/workload'
import { expand } from './expand.ts'
import { type ContainerView, containersOf, type PodView } from './model.ts'

/** Reads that building an environment may need. Values are raw bytes by key; undefined when the object does not exist. */
export interface ConfigSource {
  configMap(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array> | undefined>
  secret(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array> | undefined>
}

export interface EnvironmentInput {
  readonly pod: PodView
  readonly container: ContainerView
  readonly podIPs: readonly string[]
  readonly nodeIPs: readonly string[]
  readonly nodeName: string
  readonly allocatable: Readonly<Record<string, string>>
  /** Services of the pod's namespace, for service links. */
  readonly services: readonly DeepReadonly<Service>[]
  /** The service of the API itself, which every pod sees whatever it asked for. */
  readonly apiService?: DeepReadonly<Service>
  readonly source: ConfigSource
}

const text = new TextDecoder()

/** The error for a reference that cannot be resolved: the container waits with `CreateContainerConfigError`. */
const missing = (message: string): ContinuoError =>
  new ContinuoError('NODE_CONTAINER_CONFIG', message, { hint: 'create the object or mark the reference optional' })

/**
 * The environment of a container in the order of Kubernetes: service links, `envFrom`, then `env` with `$(NAME)` expanded
 * over everything before. A later name wins.
 */
export async function environmentOf(input: EnvironmentInput): Promise<readonly { readonly name: string; readonly value: string }[]> {
  const { pod, container } = input
  const namespace = pod.metadata.namespace ?? 'default'
  const linked = [
    ...(input.apiService === undefined ? [] : [input.apiService]),
    ...(pod.spec?.enableServiceLinks === false ? [] : input.services),
  ]
  const values = new Map<string, string>(serviceLinks(linked))
  for (const from of container.envFrom ?? []) {
    const reference = from.configMapRef ?? from.secretRef
    if (reference?.name === undefined) continue
    const kind = from.configMapRef !== undefined ? 'configmap' : 'secret'
    const data =
      kind === 'configmap' ? await input.source.configMap(namespace, reference.name) : await input.source.secret(namespace, reference.name)
    if (data === undefined && reference.optional !== true) throw missing(`${kind} "${reference.name}" not found`)
    for (const [key, bytes] of data ?? []) values.set(`${from.prefix ?? ''}${key}`, text.decode(bytes))
  }
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? '', (name) => values.get(name))
        : await valueFrom(input, variable.valueFrom, namespace)
    if (value !== undefined) values.set(variable.name, value)
  }
  return [...values].map(([name, value]) => ({ name, value }))
}

type ValueFrom = NonNullable<NonNullable<ContainerView['env']>[number]['valueFrom']>

async function valueFrom(input: EnvironmentInput, from: ValueFrom, namespace: string): Promise<string | undefined> {
  if (from.fieldRef !== undefined) return podField(input, from.fieldRef.fieldPath)
  if (from.resourceFieldRef !== undefined) return resourceField(input, from.resourceFieldRef)
  const reference = from.configMapKeyRef ?? from.secretKeyRef
  if (reference === undefined) return undefined
  const name = reference.name ?? ''
  const kind = from.configMapKeyRef !== undefined ? 'configmap' : 'secret'
  const data = kind === 'configmap' ? await input.source.configMap(namespace, name) : await input.source.secret(namespace, name)
  const bytes = data?.get(reference.key)
  if (bytes !== undefined) return text.decode(bytes)
  if (reference.optional === true) return undefined
  throw missing(
    data === undefined
      ? `${kind} "${name}" not found`
      : `couldn't find key ${reference.key} in ${kind === 'configmap' ? 'ConfigMap' : 'Secret'} ${namespace}/${name}`,
  )
}

/** A field of the pod as the downward API names it. */
export function podField(input: Pick<EnvironmentInput, 'pod' | 'podIPs' | 'nodeIPs' | 'nodeName'>, path: string): string {
  const { metadata, spec } = input.pod
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path)
  if (keyed !== null) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] as string] ?? ''
  const lines = (map: Readonly<Record<string, string>> | undefined) =>
    Object.keys(map ?? {})
      .sort()
      .map((key) => `${key}=${JSON.stringify(map?.[key])}`)
      .join('\n')
  const fields: Record<string, () => string> = {
    'metadata.name': () => metadata.name,
    'metadata.namespace': () => metadata.namespace ?? '',
    'metadata.uid': () => metadata.uid ?? '',
    'metadata.labels': () => lines(metadata.labels),
    'metadata.annotations': () => lines(metadata.annotations),
    'spec.nodeName': () => input.nodeName,
    'spec.serviceAccountName': () => spec?.serviceAccountName ?? '',
    'status.hostIP': () => input.nodeIPs[0] ?? '',
    'status.hostIPs': () => input.nodeIPs.join(','),
    'status.podIP': () => input.podIPs[0] ?? '',
    'status.podIPs': () => input.podIPs.join(','),
  }
  const field = fields[path]
  if (field === undefined) throw missing(`unsupported fieldPath: ${path}`)
  return field()
}

/** A request or limit of a container, divided and rounded up as the downward API does; limits default to what the node has. */
export function resourceField(
  input: Pick<EnvironmentInput, 'pod' | 'allocatable'> & { readonly container?: ContainerView },
  ref: { readonly containerName?: string; readonly resource: string; readonly divisor?: string },
): string {
  const container =
    ref.containerName === undefined ? input.container : containersOf(input.pod).find((other) => other.spec.name === ref.containerName)?.spec
  if (container === undefined) throw missing(`container ${ref.containerName ?? ''} not found`)
  const [list, name] = ref.resource.split('.', 2) as [string, string]
  const amounts = list === 'limits' ? container.resources?.limits : container.resources?.requests
  const amount = amounts?.[name] ?? (list === 'limits' ? input.allocatable[name] : undefined) ?? '0'
  const divisor = ref.divisor === undefined || ref.divisor === '0' ? '1' : ref.divisor
  const ratio =
    name === 'cpu'
      ? Number(quantityMilliValue(amount)) / Number(quantityMilliValue(divisor))
      : quantityToNumber(amount) / quantityToNumber(divisor)
  return String(Math.ceil(ratio))
}

/** `WEB_SERVICE_HOST`, `WEB_SERVICE_PORT`, `WEB_SERVICE_PORT_HTTP` and the Docker link variables of each service with an address. */
export function serviceLinks(services: readonly DeepReadonly<Service>[]): [string, string][] {
  return services.flatMap((service) => {
    const host = service.spec?.clusterIP
    const ports = service.spec?.ports ?? []
    const first = ports[0]
    if (host === undefined || host === '' || host === 'None' || first === undefined) return []
    const name = service.metadata.name.toUpperCase().replaceAll('-', '_')
    const links: [string, string][] = [
      [`${name}_SERVICE_HOST`, host],
      [`${name}_SERVICE_PORT`, String(first.port)],
      ...ports
        .filter((port) => port.name !== undefined)
        .map((port): [string, string] => [
          `${name}_SERVICE_PORT_${(port.name as string).toUpperCase().replaceAll('-', '_')}`,
          String(port.port),
        ]),
      [`${name}_PORT`, `${(first.protocol ?? 'TCP').toLowerCase()}://${host}:${first.port}`],
    ]
    for (const port of ports) {
      const protocol = (port.protocol ?? 'TCP').toLowerCase()
      const prefix = `${name}_PORT_${port.port}_${protocol.toUpperCase()}`
      links.push(
        [prefix, `${protocol}://${host}:${port.port}`],
        [`${prefix}_PROTO`, protocol],
        [`${prefix}_PORT`, String(port.port)],
        [`${prefix}_ADDR`, host],
      )
    }
    return links
  })
}

/** CPU in cores and memory in bytes of a container's requests and limits. */
export function limitsOf(container: Pick<ContainerView, 'resources'>) {
  const amount = (value: string | undefined): number | undefined => (value === undefined ? undefined : quantityToNumber(value))
  const { requests, limits } = container.resources ?? {}
  return {
    cpuRequest: amount(requests?.cpu),
    cpuLimit: amount(limits?.cpu),
    memoryRequest: amount(requests?.memory),
    memoryLimit: amount(limits?.memory),
  }
}
