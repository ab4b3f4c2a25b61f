import type { ContainerSpec, MountSpec, SandboxIdentity, SecuritySpec } from '@continuo/workload'
import type { ContainerCreateOptions } from '../daemon/daemon.ts'
import { containerLabels, containerName } from '../labels.ts'
import { hostResources } from './resources.ts'

/** Everything that a container's options depend on and its specification does not say. */
export interface ContainerSurroundings {
  readonly owner: string
  readonly sandbox: SandboxIdentity & {
    readonly id: string
    readonly sharesProcesses: boolean
    readonly hostPid: boolean
    readonly hostIpc: boolean
  }
  readonly cgroupParent: string
  /** Id of the container whose processes an ephemeral one shall see. */
  readonly target?: string
  /** Content of the profile that `security.seccomp` names. */
  readonly seccompProfile?: string
  /** The user of the image, for a group without a user. */
  readonly imageUser?: string
}

const propagations: Readonly<Record<MountSpec['propagation'], 'rprivate' | 'rslave' | 'rshared'>> = {
  None: 'rprivate',
  HostToContainer: 'rslave',
  Bidirectional: 'rshared',
}

/** One attempt of a container, in its sandbox's namespaces. Pure. */
export function containerOptions(spec: ContainerSpec, around: ContainerSurroundings): ContainerCreateOptions & { readonly name: string } {
  const { sandbox, owner } = around
  const joined = `container:${sandbox.id}`
  const { security } = spec
  return {
    name: containerName(owner, sandbox.uid, spec.name, spec.attempt),
    Image: spec.image,
    ...(spec.command.length === 0 ? {} : { Entrypoint: [...spec.command] }),
    ...(spec.args.length === 0 ? {} : { Cmd: [...spec.args] }),
    ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
    ...userOf(security, around.imageUser),
    Env: spec.env.map(({ name, value }) => `${name}=${value}`),
    Labels: { ...containerLabels(owner, sandbox, spec) },
    Tty: spec.tty,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdinOnce,
    ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
    HostConfig: {
      NetworkMode: joined,
      IpcMode: sandbox.hostIpc ? 'host' : joined,
      ...processesOf(around),
      CgroupParent: around.cgroupParent,
      ...hostResources(spec.resources),
      Mounts: spec.mounts.map((mount) => ({
        Type: 'bind' as const,
        Source: mount.hostPath,
        Target: mount.containerPath,
        ReadOnly: mount.readOnly,
        BindOptions: { Propagation: propagations[mount.propagation] },
      })),
      Devices: spec.devices.map(({ hostPath, containerPath, permissions }) => ({
        PathOnHost: hostPath,
        PathInContainer: containerPath,
        CgroupPermissions: permissions,
      })),
      GroupAdd: security.supplementalGroups.map(String),
      Privileged: security.privileged,
      ReadonlyRootfs: security.readOnlyRootFilesystem,
      CapAdd: [...security.addCapabilities],
      CapDrop: [...security.dropCapabilities],
      SecurityOpt: securityOptions(security, around.seccompProfile),
      LogConfig: {
        Type: 'json-file',
        Config: { 'max-size': String(Math.max(1, spec.log.maxBytes)), 'max-file': String(Math.max(1, spec.log.maxFiles)) },
      },
    },
  }
}

function userOf({ user, group }: SecuritySpec, imageUser: string | undefined): { User?: string } {
  const name = user === undefined ? imageUser?.split(':')[0] || undefined : String(user)
  if (group !== undefined) return { User: `${name ?? 0}:${group}` }
  return user === undefined ? {} : { User: String(user) }
}

function processesOf({ sandbox, target }: ContainerSurroundings): { PidMode?: string } {
  if (sandbox.hostPid) return { PidMode: 'host' }
  if (sandbox.sharesProcesses) return { PidMode: `container:${sandbox.id}` }
  return target === undefined ? {} : { PidMode: `container:${target}` }
}

function securityOptions({ seccomp, allowPrivilegeEscalation }: SecuritySpec, profile: string | undefined): string[] {
  const options = allowPrivilegeEscalation ? [] : ['no-new-privileges']
  if (seccomp?.type === 'Unconfined') options.push('seccomp=unconfined')
  if (profile !== undefined) options.push(`seccomp=${profile}`)
  return options
}
