import { join } from 'node:path'
import type { ContainerSpec } from '@continuo/workload'

const path = '/etc/resolv.conf'

/** The container with its pod's `resolv.conf` mounted, unless it mounts something there itself. Pure. */
export function withResolvConf(spec: ContainerSpec, file: string): ContainerSpec {
  const taken = spec.mounts.some(({ containerPath }) => ['/', '/etc', path].includes(join('/', containerPath).replace(/(.)\/$/, '$1')))
  if (taken) return spec
  const mount = { name: 'resolv-conf', hostPath: file, containerPath: path, readOnly: false, propagation: 'None' } as const
  return { ...spec, mounts: [...spec.mounts, mount] }
}
