import { createHash } from 'node:crypto'
import { ContinuoError } from '@continuo/core'
import type { ContainerSpec, MountSpec, SandboxSpec } from '@continuo/workload'
import { type EnvironmentInput, environmentOf, limitsOf } from './environment.ts'
import { expand } from './expand.ts'
import type { ContainerView, PodContainer, PodView } from './model.ts'
import { subPathOf } from './sub-path.ts'

/** Digest of what a container cannot change while it runs. */
export const containerHash = (container: ContainerView): string =>
  createHash('sha256').update(JSON.stringify(container)).digest('hex').slice(0, 16)

/** The sandbox of a pod. Pure. @param dns what belongs into its `resolv.conf`, if that is not the machine's */
export function sandboxSpec(pod: PodView, dns: SandboxSpec['dns']): SandboxSpec {
  const spec = pod.spec
  const containers = spec?.containers ?? []
  const sum = (pick: (limits: ReturnType<typeof limitsOf>) => number | undefined): number | undefined => {
    const amounts = containers.map((container) => pick(limitsOf(container)))
    return amounts.some((amount) => amount === undefined) ? undefined : (amounts as number[]).reduce((a, b) => a + b, 0)
  }
  return {
    uid: pod.metadata.uid ?? '',
    namespace: pod.metadata.namespace ?? 'default',
    name: pod.metadata.name,
    hostname: (spec?.hostname ?? pod.metadata.name).slice(0, 63),
    hostNetwork: spec?.hostNetwork ?? false,
    shareProcessNamespace: spec?.shareProcessNamespace ?? false,
    hostPid: spec?.hostPID ?? false,
    hostIpc: spec?.hostIPC ?? false,
    sysctls: Object.fromEntries((spec?.securityContext?.sysctls ?? []).map((entry) => [entry.name, entry.value])),
    dns,
    hostAliases: (spec?.hostAliases ?? []).map((alias) => ({ ip: alias.ip, hostnames: alias.hostnames ?? [] })),
    ports: containers.flatMap((container) =>
      (container.ports ?? []).map((port) => ({
        containerPort: port.containerPort,
        hostPort: port.hostPort,
        hostIP: port.hostIP,
        protocol: (port.protocol ?? 'TCP') as 'TCP',
      })),
    ),
    labels: pod.metadata.labels ?? {},
    annotations: pod.metadata.annotations ?? {},
    resources: {
      cpuRequest: sum((l) => l.cpuRequest),
      cpuLimit: sum((l) => l.cpuLimit),
      memoryRequest: sum((l) => l.memoryRequest),
      memoryLimit: sum((l) => l.memoryLimit),
    },
  }
}

/** One attempt of a container with every reference resolved. `volumes` holds the host path of each volume by name. */
export async function containerSpec(
  input: EnvironmentInput & { readonly volumes: ReadonlyMap<string, string>; readonly log: ContainerSpec['log'] },
  container: PodContainer,
  attempt: number,
): Promise<ContainerSpec> {
  const { pod } = input
  const { spec } = container
  const env = await environmentOf(input)
  const values = new Map(env.map((variable) => [variable.name, variable.value]))
  const lookup = (name: string): string | undefined => values.get(name)
  const own = spec.securityContext
  const shared = pod.spec?.securityContext
  if ((own?.runAsNonRoot ?? shared?.runAsNonRoot) === true && (own?.runAsUser ?? shared?.runAsUser) === 0)
    throw new ContinuoError('NODE_CONTAINER_CONFIG', "container's runAsUser breaks non-root policy", {
      hint: 'set runAsUser to another user than 0, or runAsNonRoot to false',
    })
  return {
    sandbox: pod.metadata.uid ?? '',
    name: spec.name,
    attempt,
    kind: container.kind,
    image: spec.image ?? '',
    command: (spec.command ?? []).map((word) => expand(word, lookup)),
    args: (spec.args ?? []).map((word) => expand(word, lookup)),
    workingDir: spec.workingDir,
    env,
    mounts: mountsOf(spec, input.volumes, lookup),
    devices: [],
    resources: limitsOf(spec),
    security: {
      user: own?.runAsUser ?? shared?.runAsUser,
      group: own?.runAsGroup ?? shared?.runAsGroup,
      supplementalGroups: [...(shared?.supplementalGroups ?? []), ...(shared?.fsGroup === undefined ? [] : [shared.fsGroup])],
      privileged: own?.privileged ?? false,
      readOnlyRootFilesystem: own?.readOnlyRootFilesystem ?? false,
      allowPrivilegeEscalation: own?.allowPrivilegeEscalation ?? true,
      addCapabilities: own?.capabilities?.add ?? [],
      dropCapabilities: own?.capabilities?.drop ?? [],
      seccomp: (own?.seccompProfile ?? shared?.seccompProfile) as ContainerSpec['security']['seccomp'],
    },
    stdin: spec.stdin ?? false,
    stdinOnce: spec.stdinOnce ?? false,
    tty: spec.tty ?? false,
    stopSignal: spec.lifecycle?.stopSignal,
    log: input.log,
    labels: pod.metadata.labels ?? {},
    hash: containerHash(spec),
    targetContainer: (spec as { targetContainerName?: string }).targetContainerName,
  }
}

function mountsOf(
  container: ContainerView,
  volumes: ReadonlyMap<string, string>,
  lookup: (name: string) => string | undefined,
): MountSpec[] {
  return (container.volumeMounts ?? []).flatMap((mount) => {
    const root = volumes.get(mount.name)
    if (root === undefined) return []
    const below = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, lookup)
    return [
      {
        name: mount.name,
        hostPath: below === undefined || below === '' ? root : subPathOf(root, below),
        containerPath: mount.mountPath,
        readOnly: mount.readOnly ?? false,
        propagation: (mount.mountPropagation ?? 'None') as MountSpec['propagation'],
      },
    ]
  })
}
