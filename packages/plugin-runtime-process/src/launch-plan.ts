import { join } from 'node:path'
import { isCleanText, type ShimSpec } from '@continuo/lib-container-shim'
import { type ContainerSpec, RuntimeError } from '@continuo/workload'
import type { ResolvedImage } from './image-resolver.ts'

/** The name that marks all processes of a container, to find those that a killed shim left behind. */
export const containerVariable = 'CONTINUO_CONTAINER_ID'

/** Where a container lives on disk and what surrounds it. */
export interface Surroundings {
  readonly id: string
  readonly rootfs: string
  readonly logPath: string
  readonly podIP: string
  readonly hostname: string
  readonly namespaces: boolean
  /** Variables for every container. */
  readonly env: Readonly<Record<string, string>>
  /** Whether the agent may change users. */
  readonly privileged: boolean
}

/** What to prepare below the root directory before the shim starts, and what to tell the shim. */
export interface LaunchPlan {
  readonly shim: ShimSpec
  readonly directories: readonly string[]
  readonly links: readonly { readonly path: string; readonly target: string }[]
}

/** The command line: the container's, else the image's. Throws `RUNTIME_INVALID_SPEC` when both are empty. */
export function commandLine(spec: Pick<ContainerSpec, 'command' | 'args' | 'image' | 'name'>, image: ResolvedImage): string[] {
  const line =
    spec.command.length > 0
      ? [...spec.command, ...spec.args]
      : [...image.command, ...(spec.args.length > 0 || image.command.length === 0 ? spec.args : image.args)]
  if (line.length === 0)
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `no command specified for container "${spec.name}"`, {
      hint: `image "${spec.image}" has no entry point: set command`,
    })
  return line
}

/** Variables in order of precedence: the container's own, the image's, the configured, ours. */
export function environment(spec: Pick<ContainerSpec, 'env' | 'tty'>, image: ResolvedImage, at: Surroundings): Record<string, string> {
  return {
    HOME: at.rootfs,
    ...(spec.tty ? { TERM: 'xterm' } : {}),
    ...at.env,
    ...image.env,
    POD_IP: at.podIP,
    HOSTNAME: at.hostname,
    ...Object.fromEntries(spec.env.map(({ name, value }) => [name, value])),
    CONTINUO_ROOT: at.rootfs,
    [containerVariable]: at.id,
  }
}

/** The path without `.`, `..` and a slash at the end: never above the root. */
const absolute = (path: string): string => join('/', path).replace(/(.)\/$/, '$1')

const inside = (path: string, parent: string): boolean => path.startsWith(`${parent}/`)

/** Decides how a container is started. Pure; the links make each volume visible at `$CONTINUO_ROOT` + its path. */
export function planLaunch(spec: ContainerSpec, image: ResolvedImage, at: Surroundings): LaunchPlan {
  const args = commandLine(spec, image)
  const env = environment(spec, image, at)
  const mounts = spec.mounts
    .map((mount) => ({
      source: mount.hostPath,
      target: absolute(mount.containerPath),
      readOnly: mount.readOnly,
    }))
    .sort((a, b) => a.target.split('/').length - b.target.split('/').length)
  const linked = mounts.filter(
    (mount) => mount.target !== '/' && !mounts.some((other) => other !== mount && inside(mount.target, other.target)),
  )
  if (mounts.some(({ target }) => target === '/'))
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `container "${spec.name}": a volume cannot be mounted at /`)
  const asked = spec.workingDir ?? image.workingDir
  const cwdElse = asked === undefined ? at.rootfs : join(at.rootfs, absolute(asked))
  const covered = linked.some((mount) => asked === mount.target || inside(asked ?? '', mount.target))
  const unclean = [...args, at.hostname, ...Object.entries(env).flat(), ...mounts.flatMap(({ source, target }) => [source, target])].find(
    (text) => !isCleanText(text),
  )
  if (unclean !== undefined)
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `container "${spec.name}": ${JSON.stringify(unclean)} holds a NUL character`)
  const user = at.privileged ? userOf(spec) : {}
  return {
    directories: [...linked.map((mount) => join(at.rootfs, mount.target, '..')), ...(covered ? [] : [cwdElse])],
    links: linked.map((mount) => ({
      path: join(at.rootfs, mount.target),
      target: mount.source,
    })),
    shim: {
      args,
      env,
      cwd: asked ?? image.root ?? at.rootfs,
      cwdElse,
      noNewPrivileges: !spec.security.allowPrivilegeEscalation && !spec.security.privileged,
      tty: spec.tty,
      stdin: spec.stdin,
      stdinOnce: spec.stdinOnce,
      log: at.logPath,
      logBytes: spec.log.maxBytes,
      logFiles: Math.max(1, spec.log.maxFiles),
      mounts,
      hostname: at.hostname,
      namespaces: at.namespaces,
      ...(spec.resources.memoryLimit === undefined ? {} : { memory: spec.resources.memoryLimit }),
      ...user,
    },
  }
}

function userOf({ security }: ContainerSpec): Pick<ShimSpec, 'uid' | 'gid' | 'groups'> {
  const { user, group, supplementalGroups } = security
  if (user === undefined && group === undefined && supplementalGroups.length === 0) return {}
  return {
    ...(user === undefined ? {} : { uid: user }),
    gid: group ?? 0,
    groups: supplementalGroups,
  }
}
