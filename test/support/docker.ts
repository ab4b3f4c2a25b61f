import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

const needed = ['dockerd', 'nsenter', 'ip', 'tar'] as const
const busybox = '/bin/busybox'

function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'dockerd needs root on Linux'
  const absent = needed.find((program) => spawnSync('which', [program]).status !== 0)
  if (absent !== undefined || !existsSync(busybox))
    return `${absent ?? busybox} is not there; install it with: apt-get install docker.io iproute2 busybox-static`
  return undefined
}

/** Why tests with Docker are skipped on this machine; undefined when they can run. In CI they fail instead. */
export const dockerMissing: string | undefined = process.env.CI === 'true' ? undefined : whatIsMissing()

/** What the name of a group of tests ends with: nothing, or why it is skipped. */
export const dockerNote = dockerMissing === undefined ? '' : ` (skipped: ${dockerMissing})`

/** A real dockerd in a network namespace of its own, with its data in a temporary directory. */
export interface Docker {
  readonly socket: string
  /** Image with busybox's programs. */
  readonly image: string
  /** What control groups of its containers shall be below: removed at the end. */
  readonly cgroupParent: string
  readonly directory: string
  /** Where its containers, and it itself, reach us. Registries there need no certificate. */
  readonly hostAddress: string
  /** One request to its API; throws what it says when it refuses. */
  api(method: string, path: string, body?: unknown): Promise<unknown>
  /** SIGKILL; containers run on. */
  kill(): Promise<void>
  /** Starts it again on the same data. Resolves when it answers. */
  start(): Promise<void>
  /** Ends everything and leaves nothing behind. */
  stop(): Promise<void>
}

/**
 * Starts a dockerd that has one image. It is in a namespace of its own, so neither bridges nor rules are seen outside, and others beside it do
 * not matter; its containers' addresses are routed to.
 */
export async function startDocker(): Promise<Docker> {
  const missing = whatIsMissing()
  if (missing !== undefined) throw new Error(missing)
  const docker = new Daemon()
  try {
    docker.network()
    await docker.start()
    await docker.importBusybox()
    return docker
  } catch (error) {
    await docker.stop().catch(() => {})
    throw error
  }
}

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

class Daemon implements Docker {
  readonly image = 'suite/busybox:1'
  readonly directory = mkdtempSync(join(tmpdir(), 'continuo-docker-'))
  readonly socket = join(this.directory, 'docker.sock')
  readonly #id = randomBytes(3).toString('hex')
  readonly cgroupParent = `continuo-${this.#id}`
  readonly #namespace = `cdk-${this.#id}`
  /** Two numbers that make the subnets of this daemon. */
  readonly #subnet = [...randomBytes(2)].map((byte) => byte % 250) as [number, number]
  readonly hostAddress = `10.252.${this.#subnet[0]}.1`
  #child: ChildProcess | undefined

  network(): void {
    const [a, b] = this.#subnet
    const [outside, inside] = [`cdo${this.#id}`, `cdi${this.#id}`]
    run('ip', 'netns', 'add', this.#namespace)
    run('ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', this.#namespace)
    run('ip', 'addr', 'add', `10.252.${a}.1/30`, 'dev', outside)
    run('ip', 'link', 'set', outside, 'up')
    run('ip', '-n', this.#namespace, 'addr', 'add', `10.252.${a}.2/30`, 'dev', inside)
    run('ip', '-n', this.#namespace, 'link', 'set', inside, 'up')
    run('ip', '-n', this.#namespace, 'link', 'set', 'lo', 'up')
    run('ip', '-n', this.#namespace, 'route', 'add', 'default', 'via', `10.252.${a}.1`)
    run('ip', 'route', 'add', `10.253.${b}.0/24`, 'via', `10.252.${a}.2`)
  }

  async start(): Promise<void> {
    const at = (name: string): string => join(this.directory, name)
    mkdirSync(at('data'), { recursive: true })
    writeFileSync(at('daemon.json'), '{}')
    // Of a daemon that was killed: their numbers may be somebody else's by now, or nobody's grave.
    for (const file of [at('pid'), join(at('exec'), 'containerd', 'containerd.pid')]) rmSync(file, { force: true })
    const [, b] = this.#subnet
    const args = [
      ['--config-file', at('daemon.json'), '--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')],
      ['-H', `unix://${this.socket}`, '--bip', `10.253.${b}.1/24`, '--cgroup-parent', `/${this.cgroupParent}`],
      ['--userland-proxy=false', '--live-restore', '--shutdown-timeout', '3', '--log-level', 'error'],
      ['--insecure-registry', '10.252.0.0/16'],
    ].flat()
    const child = spawn('nsenter', [`--net=/run/netns/${this.#namespace}`, 'dockerd', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    let output = ''
    child.stderr.on('data', (data: Buffer) => {
      output = (output + data.toString()).slice(-4_000)
    })
    this.#child = child
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`dockerd ended:\n${output}`)
      await this.api('GET', '/_ping')
    }, 20_000)
  }

  async importBusybox(): Promise<void> {
    const root = join(this.directory, 'root')
    for (const folder of ['bin', 'etc', 'tmp', 'root', 'var']) mkdirSync(join(root, folder), { recursive: true })
    copyFileSync(busybox, join(root, 'bin', 'busybox'))
    writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000:web:/tmp:/bin/sh\n')
    writeFileSync(join(root, 'etc', 'group'), 'root:x:0:\nweb:x:1000:\n')
    run('chroot', root, '/bin/busybox', '--install', '-s', '/bin')
    const archive = execFileSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 64 * 1024 * 1024 })
    const [repo, tag] = this.image.split(':')
    await this.api('POST', `/images/create?fromSrc=-&repo=${repo}&tag=${tag}`, archive)
  }

  api(method: string, path: string, body?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const raw = Buffer.isBuffer(body)
      const headers = body === undefined ? {} : { 'content-type': raw ? 'application/x-tar' : 'application/json' }
      const asked = request({ socketPath: this.socket, method, path, headers, timeout: 30_000 }, (answer) => {
        let text = ''
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => {
          if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${text}`))
          else resolve(text.startsWith('{') || text.startsWith('[') ? JSON.parse(text.split('\n')[0] ?? '') : text)
        })
      })
      asked.on('error', reject)
      asked.on('timeout', () => asked.destroy(new Error(`dockerd does not answer ${method} ${path}`)))
      asked.end(raw ? body : body === undefined ? undefined : JSON.stringify(body))
    })
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
    // containerd dies with it, a moment later; another one would not start beside it.
    await eventually(() => {
      if (this.#leftProcesses('containerd\0').length > 0) throw new Error('containerd is left')
    }, 5_000)
  }

  async stop(): Promise<void> {
    try {
      const containers = (await this.api('GET', '/containers/json?all=1')) as { Id: string }[]
      await Promise.all(containers.map(({ Id }) => this.api('DELETE', `/containers/${Id}?force=1&v=1`).catch(() => {})))
    } catch {
      // It does not run any more; what is left of its containers is killed below.
    }
    await this.#end('SIGTERM')
    for (const pid of this.#leftProcesses()) process.kill(pid, 'SIGKILL')
    await eventually(() => {
      if (this.#leftProcesses().length > 0) throw new Error('processes of the daemon are left')
    }, 5_000)
    for (const path of this.#mounts()) run('umount', '-l', path)
    const groups = ['', ...readdirSync('/sys/fs/cgroup')].map((controller) => join('/sys/fs/cgroup', controller, this.cgroupParent))
    await eventually(() => groups.forEach(removeGroups), 5_000)
    spawnSync('ip', ['netns', 'del', this.#namespace])
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  /** containerd and the shims, which name the directory in their arguments; or those of one program. */
  #leftProcesses(program = ''): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
          return line.startsWith(program) && line.includes(`${this.directory}/`) && Number(pid) !== process.pid
        } catch {
          return false
        }
      })
      .map(Number)
  }

  #mounts(): string[] {
    return readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(`${this.directory}/`))
      .reverse()
  }
}

/** With everything that runs in them. Throws while something is still ending. */
function removeGroups(path: string): void {
  if (!existsSync(path)) return
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeGroups(join(path, entry.name))
  for (const pid of readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number))
    if (pid > 0) process.kill(pid, 'SIGKILL')
  rmdirSync(path)
}
