import { readFileSync } from 'node:fs'
import { arch, cpus, hostname, networkInterfaces, platform, release, totalmem } from 'node:os'
import type { NodeSystemInfo } from '@continuo/workload'

const firstLine = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0]?.trim() ?? ''
  } catch {
    return ''
  }
}

/** Amounts that the machine has, in the units of the API. */
export interface MachineCapacity {
  readonly cpu: string
  readonly memory: string
}

/** What this machine is; read once, when the agent starts. */
export interface Machine {
  readonly hostname: string
  readonly capacity: MachineCapacity
  readonly info: Omit<NodeSystemInfo, 'containerRuntimeVersion' | 'kubeletVersion' | 'kubeProxyVersion'>
  readonly os: string
  readonly architecture: string
  /** First address that is not loopback, else 127.0.0.1. */
  readonly address: string
}

const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  arm: 'arm',
  arm64: 'arm64',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
}

export function readMachine(): Machine {
  const osImage =
    firstLine('/etc/os-release') === '' ? platform() : (/^PRETTY_NAME="?([^"\n]*)/m.exec(readText('/etc/os-release'))?.[1] ?? platform())
  const os = platform() === 'win32' ? 'windows' : platform()
  const architecture = architectures[arch()] ?? arch()
  return {
    hostname: hostname().toLowerCase(),
    capacity: { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki` },
    info: {
      architecture,
      bootID: firstLine('/proc/sys/kernel/random/boot_id'),
      kernelVersion: release(),
      machineID: firstLine('/etc/machine-id'),
      operatingSystem: os,
      osImage,
      systemUUID: firstLine('/etc/machine-id'),
    },
    os,
    architecture,
    address:
      Object.values(networkInterfaces())
        .flat()
        .find((entry) => entry !== undefined && !entry.internal && entry.family === 'IPv4')?.address ?? '127.0.0.1',
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
