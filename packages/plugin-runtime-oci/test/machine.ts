import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock, systemRandom } from '@continuo/core'
import { RoutedNetwork } from '@continuo/plugin-network-routed'
import { runtimeOciConfig } from '../src/config.ts'
import { OciRuntime } from '../src/oci-runtime.ts'

const busybox = '/bin/busybox'

/** Why these tests cannot run here; in CI they run or fail. */
export const missing = ((): string | undefined => {
  if (process.env.CI) return undefined
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  for (const tool of ['crun', 'ip', 'nft', 'nsenter', 'unshare'])
    try {
      execFileSync('which', [tool], { stdio: 'ignore' })
    } catch {
      return `needs ${tool}: apt-get install crun iproute2 nftables util-linux`
    }
  return existsSync(busybox) ? undefined : 'needs busybox-static'
})()

const digest = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/** Writes a Docker archive with busybox and what `prepare` adds in a second layer. */
export function busyboxArchive(directory: string, name: string, prepare: (root: string) => void = () => {}, config: object = {}): string {
  const build = mkdtempSync(join(directory, 'build-'))
  const [base, top] = [join(build, 'base'), join(build, 'top')]
  for (const path of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev']) mkdirSync(join(base, path), { recursive: true })
  chmodSync(join(base, 'tmp'), 0o1777)
  copyFileSync(busybox, join(base, 'bin', 'busybox'))
  for (const tool of [
    'sh',
    'cat',
    'sleep',
    'echo',
    'printf',
    'id',
    'ls',
    'mount',
    'tail',
    'hostname',
    'stty',
    'nc',
    'ip',
    'env',
    'touch',
    'date',
    'kill',
    'ps',
  ])
    symlinkSync('busybox', join(base, 'bin', tool))
  writeFileSync(join(base, 'etc', 'passwd'), 'root:x:0:0::/root:/bin/sh\nweb:x:101:102::/srv:/bin/sh\n')
  writeFileSync(join(base, 'etc', 'group'), 'root:x:0:\nweb:x:102:\nextra:x:103:web\n')
  writeFileSync(join(base, 'etc', 'old'), 'old\n')
  mkdirSync(top)
  prepare(top)
  const layers = [base, top].map((root, index) => {
    execFileSync('tar', ['--create', '--file', join(build, `${index}.tar`), '--owner=0', '--group=0', '--directory', root, '.'])
    return `${index}.tar`
  })
  const text = JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Env: ['FROM=image'], Cmd: ['/bin/sh'], ...config } })
  writeFileSync(join(build, `${digest(text)}.json`), text)
  writeFileSync(join(build, 'manifest.json'), JSON.stringify([{ Config: `${digest(text)}.json`, RepoTags: [name], Layers: layers }]))
  const archive = join(directory, `${name.replaceAll(/\W/g, '-')}.tar`)
  execFileSync('tar', ['--create', '--file', archive, '--directory', build, 'manifest.json', `${digest(text)}.json`, ...layers])
  rmSync(build, { recursive: true })
  return archive
}

let made = 0

/** A runtime with a pod network of its own, in a network namespace that stands for the node. */
export class OciMachine {
  readonly directory = mkdtempSync(join(tmpdir(), 'continuo-oci-'))
  readonly cgroup = `continuo-test-${process.pid}-${made++}`
  readonly #node = join(this.directory, 'node')
  runtime: OciRuntime
  network: RoutedNetwork

  constructor() {
    chmodSync(this.directory, 0o755)
    mkdirSync(join(this.directory, 'images'))
    writeFileSync(this.#node, '')
    execFileSync('unshare', [`--net=${this.#node}`, 'ip', 'link', 'set', 'lo', 'up'])
    this.network = this.#connect()
    this.runtime = this.#start()
  }

  get images(): string {
    return join(this.directory, 'images')
  }

  #connect(): RoutedNetwork {
    const network = new RoutedNetwork({
      directory: join(this.directory, 'network'),
      netns: this.#node,
      mtu: 1_500,
      table: 'continuo_network',
      rangeWaitMs: 100,
      clock: systemClock,
      log: silentLog,
    })
    void network.setRanges([{ cidr: '10.78.0.0/24', base: 10 * 2 ** 24 + 78 * 2 ** 16, size: 256 }])
    return network
  }

  #start(): OciRuntime {
    const config = { ...runtimeOciConfig.parse({ images: [this.images], cgroup: this.cgroup }), directory: join(this.directory, 'runtime') }
    return new OciRuntime({ config, network: this.network, clock: systemClock, random: systemRandom, log: silentLog })
  }

  /** What happens when the agent is killed and started again. */
  restart(): OciRuntime {
    this.runtime.close()
    this.network = this.#connect()
    this.runtime = this.#start()
    return this.runtime
  }

  /** Everything of this machine's pods that there is: mounts, control groups, namespaces, processes. */
  leftovers(): readonly string[] {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.directory) && !line.includes(` ${this.#node} `))
    const groups = ['', 'memory', 'cpu', 'pids', 'freezer', 'cpuacct']
      .map((name) => join('/sys/fs/cgroup', name, this.cgroup))
      .filter(existsSync)
    const processes = readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`${this.directory}/`)
        } catch {
          return false
        }
      })
    return [...mounts, ...groups, ...processes.map((pid) => `process ${pid}`)]
  }

  async close(): Promise<void> {
    for (const { uid } of await this.runtime.list()) await this.runtime.removeSandbox(uid)
    this.runtime.close()
    await this.network.clear()
    execFileSync('umount', ['--lazy', this.#node])
    for (let tries = 0; this.leftovers().length > 0 && tries < 100; tries++) await systemClock.sleep(20)
    const left = this.leftovers()
    rmSync(this.directory, { recursive: true, force: true })
    if (left.length > 0) throw new TypeError(`left behind: ${left.join('; ')}`)
  }
}
