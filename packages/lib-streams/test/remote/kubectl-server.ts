import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { pipeline } from 'node:stream'
import { acceptExec, acceptPortForward, exitStatus, type TerminalSize } from '../../src/index.ts'

/** Folder of the kubectl binaries that are named by version, beside the one on the PATH. */
export function kubectlPath(version: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = join(folder, 'kubectl')
    if (!existsSync(found)) continue
    const versioned = join(dirname(realpathSync(found)), `kubectl.${version}`)
    if (existsSync(versioned)) return versioned
  }
  return undefined
}

const pod = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: { containers: [{ name: 'main', image: 'host', stdin: true, tty: false }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'main', ready: true, state: { running: {} } }] },
}

const answers: Readonly<Record<string, unknown>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'] }],
  },
  '/api/v1/namespaces/default/pods/p': pod,
}

/** Just enough of an API server for exec, attach and port-forward; commands run here, attach talks to `cat`. */
export class KubectlServer {
  /** `exec v5.channel.k8s.io`: what was negotiated. */
  readonly seen: string[] = []
  readonly sizes: string[] = []
  readonly #server: Server
  readonly #home = mkdtempSync(join(tmpdir(), 'continuo-kubectl-'))
  readonly #children = new Set<ChildProcess>()

  constructor() {
    this.#server = createServer((request, response) => {
      const answer = answers[new URL(request.url ?? '/', 'http://x').pathname]
      response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify(answer ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }))
    })
    this.#server.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, socket as never, head).catch((error) => this.seen.push(`failed ${error.message}`))
    })
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    this.#server.closeAllConnections()
    this.#server.close()
    rmSync(this.#home, { recursive: true, force: true })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Commands of exec and attach that have not ended. */
  running = 0

  /** The command line that talks to this server. */
  line(binary: string, args: readonly string[]): readonly string[] {
    return [binary, `--server=http://127.0.0.1:${this.port}`, ...args]
  }

  /** Starts kubectl. */
  run(binary: string, args: readonly string[]): ChildProcess {
    const [program = '', ...rest] = this.line(binary, args)
    return this.program(program, rest)
  }

  /** Starts a program with kubectl's home directory. */
  program(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(program, args, { env: { HOME: this.#home, PATH: process.env.PATH, TERM: 'xterm' }, stdio: 'pipe' })
    this.#children.add(child)
    return child
  }

  /** Runs kubectl to its end. */
  async kubectl(binary: string, args: readonly string[], input = ''): Promise<{ code: number | null; out: string; err: string }> {
    const child = this.run(binary, args)
    let out = ''
    let err = ''
    child.stdout?.on('data', (chunk) => {
      out += chunk
    })
    child.stderr?.on('data', (chunk) => {
      err += chunk
    })
    child.stdin?.end(input)
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, out, err }
  }

  async #upgrade(request: IncomingMessage, socket: import('node:stream').Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x')
    const flag = (name: string): boolean => ['true', '1'].includes(url.searchParams.get(name) ?? '')
    if (url.pathname.endsWith('/portforward')) return this.#forward(request, socket, head, url.searchParams.getAll('ports').map(Number))
    const streams = await acceptExec(request, socket, head, {
      stdin: flag('stdin'),
      stdout: flag('stdout'),
      stderr: flag('stderr'),
      tty: flag('tty'),
    })
    this.seen.push(`${url.pathname.split('/').at(-1)} ${streams.protocol}`)
    if (flag('tty')) this.#record(streams.resize)
    const attach = url.pathname.endsWith('/attach')
    const command = attach ? ['cat'] : url.searchParams.getAll('command')
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: 'pipe' })
    streams.closed.addEventListener('abort', () => child.kill('SIGKILL'))
    if (streams.stdin !== undefined) pipeline(streams.stdin, child.stdin, () => {})
    else child.stdin.end()
    if (streams.stdout !== undefined) child.stdout.pipe(streams.stdout, { end: false })
    if (streams.stderr !== undefined) child.stderr.pipe(streams.stderr, { end: false })
    this.running++
    const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 137)))
    this.running--
    await streams.finish(exitStatus(code))
  }

  async #record(sizes: AsyncIterable<TerminalSize>): Promise<void> {
    for await (const { width, height } of sizes) this.sizes.push(`${width}x${height}`)
  }

  async #forward(request: IncomingMessage, socket: import('node:stream').Duplex, head: Buffer, ports: readonly number[]): Promise<void> {
    const session = await acceptPortForward(request, socket, head, { ports })
    this.seen.push(`portforward ${session.protocol}`)
    for await (const { port, data, error } of session) {
      const target = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      target.on('error', (cause) => {
        error.end(`dial tcp4 127.0.0.1:${port}: ${cause.message}`)
        data.end()
      })
      target.on('connect', () => {
        error.end()
        pipeline(data, target, () => {})
        pipeline(target, data, () => {})
      })
    }
  }
}
