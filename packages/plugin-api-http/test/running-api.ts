import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import { Agent, request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyCapability,
  createHost,
  createMemoryStore,
  definePlugin,
  type Host,
  HostSettingsCap,
  type Log,
  ObjectClientCap,
  objectsPlugin,
  type SlotSpec,
  StoreCap,
} from '@continuo/core'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { type ApiEndpoint, ApiEndpointCap, workloadKinds } from '@continuo/workload'
import { apiHttp, prometheusMetrics } from '../src/index.ts'

const memoryStore = definePlugin({
  name: 'store-memory',
  api: '^1',
  provides: [StoreCap],
  setup: (ctx) => ctx.provide(StoreCap, createMemoryStore()),
})

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any
}

export interface Call {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** Without a client certificate. */
  readonly anonymous?: boolean
}

/** A control plane in this process: memory store, core, the workload kinds and the API on a free port. */
export interface RunningApi extends AsyncDisposable {
  readonly host: Host
  readonly endpoint: ApiEndpoint
  readonly client: ReturnType<Host['use']>
  readonly kubeconfig: string
  readonly directory: string
  /** Over HTTP/1.1. Strings and buffers are sent as they are, everything else as JSON. */
  call(path: string, options?: Call): Promise<Answer>
  session(): ClientHttp2Session
}

export async function startApi(
  config: Record<string, unknown> = {},
  more: readonly SlotSpec[] = [],
  inherit: readonly (readonly [AnyCapability, unknown])[] = [],
  log?: Log,
): Promise<RunningApi> {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-api-'))
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    metrics: prometheusMetrics(),
    ...(log === undefined ? {} : { log }),
    inherit: [[HostSettingsCap, { dataDir: directory, clusterName: 'test', listen: '127.0.0.1:0' }], ...inherit],
    plugins: [
      { slot: 'store', plugin: memoryStore },
      { slot: 'objects', plugin: objectsPlugin },
      { slot: 'kinds', plugin: workloadKinds },
      { slot: 'api', plugin: apiHttp, config },
      ...more,
    ],
  })
  await host.start()
  const endpoint = host.use(ApiEndpointCap)
  const kubeconfig = join(directory, 'kubeconfig')
  await writeFile(
    kubeconfig,
    renderKubeconfig({ name: 'test', server: endpoint.url, authority: endpoint.authority, client: endpoint.admin }),
  )
  const known = { ca: endpoint.authority, cert: endpoint.admin?.certificate, key: endpoint.admin?.privateKey }
  const agent = new Agent({ keepAlive: false, ...known })
  const nobody = new Agent({ keepAlive: false, ca: endpoint.authority })
  const sessions: ClientHttp2Session[] = []
  return {
    host,
    endpoint,
    client: host.use(ObjectClientCap),
    kubeconfig,
    directory,
    call: (path, { method = 'GET', headers = {}, body, anonymous = false } = {}) =>
      new Promise((resolve, reject) => {
        const url = new URL(endpoint.url)
        const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
        const request = httpsRequest(
          {
            host: url.hostname,
            port: url.port,
            path,
            method,
            agent: anonymous ? nobody : agent,
            headers: { ...(raw ? {} : { 'content-type': 'application/json' }), ...headers },
          },
          (response) => {
            const chunks: Buffer[] = []
            response.on('data', (chunk: Buffer) => chunks.push(chunk))
            response.on('end', () => {
              const text = Buffer.concat(chunks).toString('utf8')
              let json: unknown
              try {
                json = JSON.parse(text)
              } catch {
                json = undefined
              }
              resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
            })
            response.on('error', reject)
          },
        )
        request.on('error', reject)
        request.end(body === undefined || raw ? body : JSON.stringify(body))
      }),
    session() {
      const session = connect(endpoint.url, known)
      sessions.push(session)
      return session
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      await host.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
