import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { type ClusterProcess, startProcess, temporaryDirectory } from '../support/cluster-process.ts'
import { type KubectlOptions, type KubectlResult, runKubectl } from '../support/kubectl.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every kind
export type Stored = any

/** What every case of the suite gets: one kubectl, a namespace of its own, and a look past kubectl at what is stored. */
export interface Bench {
  readonly version: string
  readonly binary: string
  readonly namespace: string
  /** Empty but for what the case writes. */
  readonly directory: string
  readonly cluster: SharedCluster
  /** True when the client is of this minor version or newer. */
  atLeast(minor: number): boolean
  /** Runs kubectl in the namespace, whatever comes of it. */
  run(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>
  /** Runs kubectl in the namespace; stdout. Throws with everything that it said when it fails. */
  ok(...args: readonly string[]): Promise<string>
  /** As `ok`, with an input. */
  feed(input: string | object | readonly object[], ...args: readonly string[]): Promise<string>
  /** Runs kubectl in the namespace, which must fail; stderr. */
  refused(...args: readonly string[]): Promise<string>
  /** As `refused`, with an input. */
  refusedFeed(input: string | object, ...args: readonly string[]): Promise<string>
  /** The object as the API gives it, by plural (`deployments.apps`) and name; undefined when there is none. */
  stored(plural: string, name: string, subresource?: string): Promise<Stored>
}

/** One cluster for all cases, and the way to its API without kubectl. */
export interface SharedCluster {
  readonly process: ClusterProcess
  get(path: string): Promise<{ readonly status: number; readonly body: Stored }>
  bench(version: string, binary: string, namespace: string): Promise<Bench>
  stop(): Promise<void>
}

const groups: Readonly<Record<string, string>> = {
  apps: 'apps/v1',
  batch: 'batch/v1',
  policy: 'policy/v1',
  autoscaling: 'autoscaling/v2',
  'networking.k8s.io': 'networking.k8s.io/v1',
  'rbac.authorization.k8s.io': 'rbac.authorization.k8s.io/v1',
  'scheduling.k8s.io': 'scheduling.k8s.io/v1',
  'discovery.k8s.io': 'discovery.k8s.io/v1',
  'apiextensions.k8s.io': 'apiextensions.k8s.io/v1',
  'stable.example.com': 'stable.example.com/v1',
}
const clusterScoped = new Set([
  'nodes',
  'namespaces',
  'clusterroles',
  'clusterrolebindings',
  'priorityclasses',
  'customresourcedefinitions',
])

function pathOf(plural: string, namespace: string, name: string, subresource: string | undefined): string {
  const [resource = '', ...group] = plural.split('.')
  const base = group.length === 0 ? '/api/v1' : `/apis/${groups[group.join('.')]}`
  const within = clusterScoped.has(resource) ? '' : `/namespaces/${namespace}`
  return `${base}${within}/${resource}/${name}${subresource === undefined ? '' : `/${subresource}`}`
}

/** Documents of one YAML stream; JSON is YAML. The first line says that this is no stream of JSON. */
export const manifest = (...objects: readonly object[]): string => objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('')

export async function startSharedCluster(): Promise<SharedCluster> {
  const directory = await temporaryDirectory('kubectl')
  const process = await startProcess({ dataDir: join(directory.path, 'data') })
  const config = await readFile(process.kubeconfig, 'utf8')
  const field = (name: string): string => new RegExp(`${name}: "?([^"\\s]+)`).exec(config)?.[1] ?? ''
  const decoded = (name: string): Buffer => Buffer.from(field(name), 'base64')
  const agent = new Agent({
    ca: decoded('certificate-authority-data'),
    cert: decoded('client-certificate-data'),
    key: decoded('client-key-data'),
    keepAlive: true,
  })
  const server = field('server')

  const get: SharedCluster['get'] = (path) =>
    new Promise((resolve, reject) => {
      request(`${server}${path}`, { agent }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) }))
      })
        .on('error', reject)
        .end()
    })

  const shared: SharedCluster = {
    process,
    get,
    async bench(version, binary, namespace) {
      const own = join(directory.path, namespace)
      await mkdir(own)
      const env = { HOME: join(directory.path, `home-${version}`) }
      const run: Bench['run'] = (args, options = {}) =>
        runKubectl(process.kubeconfig, ['--namespace', namespace, ...args], {
          binary,
          timeoutMs: 60_000,
          ...options,
          env: { ...env, ...options.env },
        })
      const told = (args: readonly string[], { code, stdout, stderr }: KubectlResult): string =>
        `kubectl ${version}: ${args.join(' ')}\nexit ${code}\nstdout: ${stdout}\nstderr: ${stderr}`
      const good = async (args: readonly string[], input?: string): Promise<string> => {
        const result = await run(args, input === undefined ? {} : { input })
        if (result.code !== 0) throw new Error(told(args, result))
        return result.stdout
      }
      const bad = async (args: readonly string[], input?: string): Promise<string> => {
        const result = await run(args, input === undefined ? {} : { input })
        if (result.code === 0 || result.code === null) throw new Error(`not refused: ${told(args, result)}`)
        return result.stderr
      }
      const text = (input: string | object | readonly object[]): string =>
        typeof input === 'string' ? input : Array.isArray(input) ? manifest(...input) : JSON.stringify(input)
      await good(['create', 'namespace', namespace])
      return {
        version,
        binary,
        namespace,
        directory: own,
        cluster: shared,
        atLeast: (minor) => version === 'default' || Number(version.split('.')[1]) >= minor,
        run,
        ok: (...args) => good(args),
        feed: (input, ...args) => good(args, text(input)),
        refused: (...args) => bad(args),
        refusedFeed: (input, ...args) => bad(args, text(input)),
        async stored(plural, name, subresource) {
          const { status, body } = await get(pathOf(plural, namespace, name, subresource))
          return status === 404 ? undefined : body
        },
      }
    },
    async stop() {
      agent.destroy()
      await process.interrupt()
      if (globalThis.process.env.CONTINUO_KUBECTL_LOG !== undefined)
        await writeFile(globalThis.process.env.CONTINUO_KUBECTL_LOG, process.output())
      await directory.remove()
    },
  }
  return shared
}
