import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLog, systemClock } from '@continuo/core'
import { parseRange } from '../src/address-pool.ts'
import { RoutedNetwork, type RoutedNetworkOptions } from '../src/routed-network.ts'

/** Why these tests cannot run here; in CI they run or fail. */
export const missing = ((): string | undefined => {
  if (process.env.CI) return undefined
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  for (const tool of ['ip', 'nft', 'nsenter', 'unshare', 'bridge'])
    try {
      execFileSync('which', [tool], { stdio: 'ignore' })
    } catch {
      return `needs ${tool}: apt-get install iproute2 nftables util-linux`
    }
  return undefined
})()

/** Output of a command in a network namespace. */
export const inside = (netns: string, ...command: string[]): string =>
  execFileSync('nsenter', [`--net=${netns}`, ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** A directory for one test with namespaces in it that stand for nodes. Nothing of it touches the machine's own network. */
export async function machine() {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-network-'))
  const mounted: string[] = []
  async function namespace(name: string): Promise<string> {
    const path = join(directory, name)
    await (await open(path, 'a')).close()
    execFileSync('unshare', [`--net=${path}`, 'ip', 'link', 'set', 'lo', 'up'])
    mounted.push(path)
    return path
  }
  return {
    directory,
    namespace,
    async remove(): Promise<void> {
      for (const path of mounted) execFileSync('umount', ['--lazy', path])
      for (const file of await readdir(directory, { recursive: true }).catch(() => []))
        if (file.includes('netns/')) execFileSync('umount', ['--quiet', '--lazy', join(directory, file)], { stdio: 'ignore' })
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export type Machine = Awaited<ReturnType<typeof machine>>

export const routed = (netns: string, directory: string, options: Partial<RoutedNetworkOptions> = {}): RoutedNetwork =>
  new RoutedNetwork({
    directory,
    netns,
    mtu: 1_500,
    table: 'continuo_network',
    rangeWaitMs: 50,
    clock: systemClock,
    log: silentLog,
    ...options,
  })

export const range = (cidr: string) => {
  const parsed = parseRange(cidr)
  if (parsed === undefined) throw new TypeError(`${cidr} is no range`)
  return parsed
}

const server = `
  const { createServer } = require('node:net')
  createServer((socket) => socket.end(socket.remoteAddress.replace('::ffff:', ''))).listen(Number(process.argv[1]), '0.0.0.0', () => console.log('up'))
`
const client = `
  const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]), timeout: 1500 })
  socket.on('data', (data) => process.stdout.write(data)).on('timeout', () => process.exit(2)).on('error', () => process.exit(3))
`

/** Something in a namespace that tells every client its address. */
export async function tellsAddress(netns: string, port: number): Promise<{ stop(): void }> {
  const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', server, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  await Promise.race([new Promise((up) => child.stdout.once('data', up)), delay(5_000)])
  return { stop: () => void child.kill('SIGKILL') }
}

/** What a server that tells addresses says to a client in a namespace; undefined when it is not reached. */
export const addressSeen = (netns: string, host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', client, host, String(port)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let seen = ''
    child.stdout.on('data', (data) => (seen += data))
    child.once('close', (code) => resolve(code === 0 ? seen : undefined))
  })
