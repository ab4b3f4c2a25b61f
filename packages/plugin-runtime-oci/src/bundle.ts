import type { ContainerSpec, SandboxSpec } from '@continuo/workload'
import { RuntimeError } from '@continuo/workload'
import { capabilitiesOf } from './capabilities.ts'
import type { ImageFacts, ImageUser } from './images/image-facts.ts'
import { seccompOf } from './seccomp.ts'

/** Where a container is and what surrounds it. */
export interface Surroundings {
  /** Path of the pod's network namespace; undefined: the host's. */
  readonly netns?: string
  /** Files of the sandbox that its containers see: hosts, host name, resolv.conf. */
  readonly sandboxPath: string
  readonly user: ImageUser
  /** Capabilities that this process has, and so may give. */
  readonly available: ReadonlySet<string>
  /** A process whose process namespace is joined. */
  readonly joinPid?: number
}

interface Mount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options?: readonly string[]
}

/** The command line: the container's, else the image's. Throws `RUNTIME_INVALID_SPEC` when both are empty. */
export function commandLine(spec: Pick<ContainerSpec, 'command' | 'args' | 'image' | 'name'>, image: ImageFacts): readonly string[] {
  const line =
    spec.command.length > 0 ? [...spec.command, ...spec.args] : [...image.entrypoint, ...(spec.args.length > 0 ? spec.args : image.command)]
  if (line.length === 0)
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `no command specified for container "${spec.name}"`, {
      hint: `image "${spec.image}" has no entry point: set command`,
    })
  return line
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Variables by precedence: the container's, the image's, ours. */
export function environment(
  spec: Pick<ContainerSpec, 'env' | 'tty'>,
  image: ImageFacts,
  hostname: string,
  home: string,
): readonly string[] {
  const all = new Map<string, string>()
  const ours = [path, `HOSTNAME=${hostname}`, `HOME=${home}`, ...(spec.tty ? ['TERM=xterm'] : [])]
  for (const line of [...ours, ...image.env, ...spec.env.map(({ name, value }) => `${name}=${value}`)])
    all.set(line.split('=', 1)[0] ?? '', line)
  return [...all.values()]
}

const masked = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/firmware',
]
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const propagation = { None: 'rprivate', HostToContainer: 'rslave', Bidirectional: 'rshared' } as const

function mountsOf(spec: ContainerSpec, sandbox: SandboxSpec, at: Surroundings): readonly Mount[] {
  const { privileged } = spec.security
  const bind = (source: string, destination: string, options: readonly string[]): Mount => ({
    destination,
    source,
    type: 'bind',
    options: ['rbind', ...options],
  })
  const taken = new Set(spec.mounts.map(({ containerPath }) => containerPath))
  const ours = [
    bind(`${at.sandboxPath}/hosts`, '/etc/hosts', ['rprivate']),
    bind(`${at.sandboxPath}/hostname`, '/etc/hostname', ['rprivate']),
    ...(sandbox.dns === undefined ? [] : [bind(`${at.sandboxPath}/resolv.conf`, '/etc/resolv.conf', ['rprivate'])]),
  ]
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    sandbox.hostNetwork
      ? bind('/sys', '/sys', ['rprivate', 'nosuid', 'noexec', 'nodev', ...(privileged ? [] : ['ro'])])
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', ...(privileged ? [] : ['ro'])] },
    ...ours.filter(({ destination }) => !taken.has(destination)),
    // A mount is made after those that hold its path.
    ...[...spec.mounts]
      .sort((a, b) => a.containerPath.split('/').length - b.containerPath.split('/').length)
      .map((mount) => bind(mount.hostPath, mount.containerPath, [propagation[mount.propagation], mount.readOnly ? 'ro' : 'rw'])),
  ]
}

/** `config.json` of the container's bundle. Pure; throws `RUNTIME_INVALID_SPEC` when there is nothing to run. */
export function bundleConfig(spec: ContainerSpec, sandbox: SandboxSpec, image: ImageFacts, at: Surroundings): object {
  const { security } = spec
  const capabilities = capabilitiesOf(security, at.available)
  const uid = security.user ?? at.user.uid
  // Who is not root has capabilities only when it may gain them, as everywhere else.
  const effective = uid === 0 ? capabilities : []
  const namespaces = [
    { type: 'mount' },
    ...(sandbox.hostNetwork ? [] : [{ type: 'uts' }]),
    ...(sandbox.hostIpc ? [] : [{ type: 'ipc' }]),
    ...(sandbox.hostPid ? [] : [{ type: 'pid', ...(at.joinPid === undefined ? {} : { path: `/proc/${at.joinPid}/ns/pid` }) }]),
    ...(at.netns === undefined ? [] : [{ type: 'network', path: at.netns }]),
  ]
  const seccomp = seccompOf(security)
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: spec.tty,
      user: { uid, gid: security.group ?? at.user.gid, additionalGids: [...new Set([...at.user.groups, ...security.supplementalGroups])] },
      args: commandLine(spec, image),
      env: environment(spec, image, sandbox.hostname, at.user.home),
      cwd: spec.workingDir ?? image.workingDir ?? '/',
      capabilities: { bounding: capabilities, permitted: effective, effective, inheritable: [], ambient: [] },
      noNewPrivileges: !security.allowPrivilegeEscalation && !security.privileged,
    },
    root: { path: 'merged', readonly: security.readOnlyRootFilesystem },
    ...(sandbox.hostNetwork ? {} : { hostname: sandbox.hostname }),
    mounts: mountsOf(spec, sandbox, at),
    linux: {
      namespaces,
      ...(sandbox.hostNetwork ? {} : { sysctl: sandbox.sysctls }),
      ...(security.privileged ? {} : { maskedPaths: masked, readonlyPaths }),
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  }
}
