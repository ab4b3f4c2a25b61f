import { readFileSync } from 'node:fs'
import type { SecuritySpec } from '@continuo/workload'

/** In the kernel's order: the index is the number. */
const names = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW ' +
  'IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD ' +
  'LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ')

/** What containers have unless they say otherwise: the set that images are written for. */
const usual =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(' ')

/** The names in a mask of `/proc/PID/status`. */
export const namesOf = (mask: bigint): ReadonlySet<string> => new Set(names.filter((_, index) => (mask >> BigInt(index)) & 1n))

/** What this process may hand on. */
export function availableCapabilities(): ReadonlySet<string> {
  const mask = /^CapBnd:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'
  return namesOf(BigInt(`0x${mask}`))
}

const bare = (name: string): string => name.toUpperCase().replace(/^CAP_/, '')

/** A container's capabilities, with their prefix. What the machine does not have is left out: asking for it would be refused as a whole. */
export function capabilitiesOf(
  { privileged, addCapabilities, dropCapabilities }: Pick<SecuritySpec, 'privileged' | 'addCapabilities' | 'dropCapabilities'>,
  available: ReadonlySet<string>,
): string[] {
  const [add, drop] = [addCapabilities.map(bare), dropCapabilities.map(bare)]
  const all = privileged || add.includes('ALL')
  const base = all ? names : drop.includes('ALL') ? [] : usual
  const wanted = new Set([...base, ...add].filter((name) => privileged || add.includes(name) || !drop.includes(name)))
  return names.filter((name) => wanted.has(name) && available.has(name)).map((name) => `CAP_${name}`)
}
