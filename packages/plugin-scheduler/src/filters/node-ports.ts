import { hostPorts } from '../snapshot/node-info.ts'
import type { BuiltInFilter } from './built-in.ts'

const anyAddress = '0.0.0.0'

/** True when a wanted port is taken: the same port and protocol on the same address, or on all addresses on either side. */
export function portTaken(used: ReadonlySet<string>, wanted: string): boolean {
  const [protocol, address, port] = wanted.split('/') as [string, string, string]
  if (address !== anyAddress) return used.has(wanted) || used.has(`${protocol}/${anyAddress}/${port}`)
  for (const each of used) if (each.startsWith(`${protocol}/`) && each.endsWith(`/${port}`)) return true
  return false
}

/** Host ports are given once per node. */
export const nodePorts: BuiltInFilter = {
  name: 'NodePorts',
  prepare: ({ pod }) => {
    const wanted = hostPorts(pod)
    if (wanted.length === 0) return undefined
    return ({ usedPorts }) =>
      usedPorts.size > 0 && wanted.some((port) => portTaken(usedPorts, port))
        ? { reason: "node(s) didn't have free ports for the requested pod ports" }
        : undefined
  },
}
