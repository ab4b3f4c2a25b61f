import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { NamespaceProcess } from './namespace-process.ts'
import { askTcp, askUdp } from './pod-process.ts'

const run = promisify(execFile)

/** Who asks: the node itself (where this code runs), one of its pods, or a machine outside. */
export interface LabPlace {
  readonly name: string
  readonly ip: string
  /** Answer of a TCP server at this address, or an error's code. */
  tcp(ip: string, port: number, timeoutMs?: number): Promise<string>
  /** The same by a datagram; each `client` keeps its port. */
  udp(client: number, ip: string, port: number, timeoutMs?: number): Promise<string>
}

/**
 * A node with two pods, another node with a pod, and a client outside, of real namespaces and real interfaces, as a routed pod network
 * connects them. To be opened in a namespace of its own: this process is the node.
 * Each pod answers on port 8080, TCP and UDP, with its name and the address that it sees.
 */
export class NetworkLab {
  static readonly nodeIp = '192.0.2.1'
  static readonly nodeIp6 = '2001:db8::1'
  static readonly serviceRange = '10.96.0.0/16'
  static readonly podRange = '10.244.0.0/16'

  readonly node: LabPlace = {
    name: 'node',
    ip: NetworkLab.nodeIp,
    tcp: (ip, port, ms = 2_000) => askTcp(ip, port, ms),
    udp: (client, ip, port, ms = 500) => askUdp(client, ip, port, ms),
  }
  readonly a: LabPlace
  readonly b: LabPlace
  /** The pod on the other node. */
  readonly far: LabPlace
  readonly client: LabPlace
  readonly #processes: readonly NamespaceProcess[]

  private constructor(
    processes: readonly NamespaceProcess[],
    [a, b, outside]: readonly [NamespaceProcess, NamespaceProcess, NamespaceProcess],
  ) {
    this.#processes = processes
    this.a = place('a', '10.244.1.11', a)
    this.b = place('b', '10.244.1.12', b)
    this.far = place('far', '10.244.2.13', outside)
    this.client = place('client', '192.0.2.9', outside)
  }

  static async open(): Promise<NetworkLab> {
    const module = new URL(import.meta.url.endsWith('.ts') ? './pod-process.ts' : './pod-process.js', import.meta.url)
    const [a, b, outside] = await Promise.all([
      NamespaceProcess.start(module),
      NamespaceProcess.start(module),
      NamespaceProcess.start(module),
    ])
    await node()
    await pod(a, 'pod-a', '10.244.1.11', 'fd00:244:1::11')
    await pod(b, 'pod-b', '10.244.1.12', 'fd00:244:1::12')
    await link(outside, 'outside')
    // The other machine: a node with a pod, and a client beyond. One namespace stands for both.
    await ip('addr', 'add', `${NetworkLab.nodeIp}/24`, 'dev', 'outside')
    await ip('-6', 'addr', 'add', `${NetworkLab.nodeIp6}/64`, 'dev', 'outside', 'nodad')
    // To the world, through a gateway that never answers: what is led nowhere gets no answer.
    await ip('route', 'add', 'default', 'via', '192.0.2.254')
    await ip('route', 'add', '10.244.2.0/24', 'via', '192.0.2.9')
    await ip('-6', 'route', 'add', 'fd00:244:2::/64', 'via', '2001:db8::9')
    await inside(outside, 'addr add 192.0.2.9/24 dev eth0')
    await inside(outside, '-6 addr add 2001:db8::9/64 dev eth0 nodad')
    await inside(outside, 'addr add 10.244.2.13/32 dev lo')
    await inside(outside, '-6 addr add fd00:244:2::13/128 dev lo nodad')
    await inside(outside, `route add default via ${NetworkLab.nodeIp}`)
    await inside(outside, `-6 route add default via ${NetworkLab.nodeIp6}`)
    await a.ask('serve', 'a', '10.244.1.11', 8080)
    await b.ask('serve', 'b', '10.244.1.12', 8080)
    await outside.ask('serve', 'far', '10.244.2.13', 8080)
    return new NetworkLab([a, b, outside], [a, b, outside])
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()))
  }
}

function place(name: string, address: string, process: NamespaceProcess): LabPlace {
  return {
    name,
    ip: address,
    tcp: (to, port, timeoutMs = 2_000) => process.ask('tcp', to, port, timeoutMs),
    udp: (client, to, port, timeoutMs = 500) => process.ask('udp', client, to, port, timeoutMs),
  }
}

const ip = async (...args: readonly string[]): Promise<void> => {
  await run('ip', args)
}

/** `ip` in the namespace of a process. */
const inside = async (process: NamespaceProcess, args: string): Promise<void> => {
  await run('nsenter', ['-t', `${process.pid}`, '-n', 'ip', ...args.split(' ')])
}

async function node(): Promise<void> {
  await ip('link', 'set', 'lo', 'up')
  await run('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1', noDuplicates])
  // A node reaches service addresses by a route that covers them; the rules lead elsewhere before it is used. Here every address of the range
  // is the node's own as well, so that checks can find free ports on them.
  await ip('route', 'add', 'local', NetworkLab.serviceRange, 'dev', 'lo')
  await ip('-6', 'route', 'add', 'local', 'fd00:96::/112', 'dev', 'lo')
}

/** Nobody else has the addresses, so nobody waits for a second to hear that. */
const noDuplicates = 'net.ipv6.conf.default.accept_dad=0'

async function link(process: NamespaceProcess, name: string): Promise<void> {
  await run('nsenter', ['-t', `${process.pid}`, '-n', 'sysctl', '-qw', noDuplicates])
  await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${process.pid}`)
  await ip('link', 'set', name, 'up')
  await inside(process, 'link set lo up')
  await inside(process, 'link set eth0 up')
}

async function pod(process: NamespaceProcess, name: string, address: string, address6: string): Promise<void> {
  await link(process, name)
  await inside(process, `addr add ${address}/32 dev eth0`)
  await inside(process, `-6 addr add ${address6}/128 dev eth0 nodad`)
  await ip('addr', 'add', '10.244.1.1/32', 'dev', name)
  await ip('-6', 'addr', 'add', 'fd00:244:1::1/128', 'dev', name, 'nodad')
  await ip('route', 'add', `${address}/32`, 'dev', name)
  await ip('-6', 'route', 'add', `${address6}/128`, 'dev', name)
  await inside(process, 'route add 10.244.1.1/32 dev eth0')
  await inside(process, 'route add default via 10.244.1.1')
  await inside(process, '-6 route add fd00:244:1::1/128 dev eth0')
  await inside(process, '-6 route add default via fd00:244:1::1')
}
