import type { DeepReadonly } from '@continuo/core'
import { ContinuoError } from '@continuo/core'
import type { ContainerStatus } from '@continuo/workload'
import { containersOf } from '../pod/model.ts'
import type { PodManager } from '../pod/pod-manager.ts'

/** What the agent answers with a status of its own; the server of the API passes it on. */
export class AgentRequestError extends ContinuoError {
  readonly status: number

  constructor(status: number, message: string) {
    super('NODE_BAD_REQUEST', message)
    this.status = status
  }
}

/** `/<verb>/<namespace>/<pod>[/<container>]`, the form of the kubelet's own server; `dial` is ours. */
export interface StreamPath {
  readonly verb: 'containerLogs' | 'exec' | 'attach' | 'portForward' | 'dial'
  readonly namespace: string
  readonly pod: string
  readonly container?: string
}

export function streamPath(url: URL): StreamPath | undefined {
  const match = /^\/(containerLogs|exec|attach|portForward|dial)\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname)
  if (match === null) return undefined
  const [, verb, namespace, pod, container] = match
  return {
    verb: verb as StreamPath['verb'],
    namespace: decoded(namespace as string),
    pod: decoded(pod as string),
    container: container === undefined ? undefined : decoded(container),
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new AgentRequestError(400, `not a segment of a path: ${segment}`)
  }
}

/** The sandbox of the pod, after checking that the container belongs to it. */
export function findContainer(
  manager: Pick<PodManager, 'pod'>,
  path: StreamPath,
): { readonly sandbox: string; readonly tty: boolean; readonly statuses: readonly DeepReadonly<ContainerStatus>[] } {
  const pod = manager.pod(path.namespace, path.pod)
  if (pod === undefined) throw new AgentRequestError(404, `pod "${path.namespace}/${path.pod}" is not on this node`)
  const container = containersOf(pod).find((other) => other.spec.name === path.container)
  if (container === undefined && path.verb !== 'portForward' && path.verb !== 'dial')
    throw new AgentRequestError(400, `container ${path.container} is not valid for pod ${path.pod}`)
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  return {
    sandbox: pod.metadata.uid ?? '',
    tty: container?.spec.tty ?? false,
    statuses: [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses],
  }
}
