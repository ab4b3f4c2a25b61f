import { mkdtemp, rm } from 'node:fs/promises'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createHost,
  type Host,
  HostSettingsCap,
  memoryStore,
  ObjectClientCap,
  objectsPlugin,
  RegistryCap,
  type SlotSpec,
} from '@continuo/core'
import { limitRanger, podSecurity, priority, resourceQuota } from '@continuo/plugin-admission'
import { mutatingAdmissionPolicy, validatingAdmissionPolicy } from '@continuo/plugin-admission-policy'
import { apiHttp } from '@continuo/plugin-api-http'
import { serviceAccountAdmission, serviceAccountTokens } from '@continuo/plugin-authn-service-account'
import { reviews } from '@continuo/plugin-authz-rbac'
import { expiry, garbageCollector, namespace, serviceAccount, serviceAllocator } from '@continuo/plugin-controllers'
import { clusterDialer, nodeConnections } from '@continuo/plugin-node'
import { createSeededRandom } from '@continuo/testkit'
import { APIService, ApiEndpointCap, ConfigMap, decodeProtobuf, workloadKinds } from '@continuo/workload'
import { expect, it, onTestFinished } from 'vitest'
import { aggregation } from '../../packages/plugin-aggregation/src/index.ts'
import { schemaRulesCel } from '../../packages/plugin-schema-rules-cel/src/index.ts'
import { type WeirdRequest, WeirdRequests } from './weird-requests.ts'

const seed = Number(process.env.CONTINUO_FUZZ_SEED ?? 20261121)
const seconds = Number(process.env.CONTINUO_FUZZ_SECONDS ?? 10)
const atOnce = 16
const streamsPerSession = 500
/** Each of them has a connection and a handshake of its own. */
const upgradeEvery = 25
/** An answer that takes longer is a hang: no request waits longer than the freshness of reads, 3 s. */
const patienceMs = 15_000

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: Buffer
}

async function startServer(): Promise<Host> {
  const dataDir = await mkdtemp(join(tmpdir(), 'continuo-fuzz-'))
  const others = {
    ...{ expiry, garbageCollector, namespace, serviceAccount, serviceAllocator },
    ...{ reviews, serviceAccountTokens, serviceAccountAdmission, schemaRulesCel, validatingAdmissionPolicy, mutatingAdmissionPolicy },
    ...{ limitRanger, podSecurity, priority, resourceQuota },
    ...{ nodeConnections, clusterDialer, aggregation },
  }
  const host = createHost({
    name: 'fuzz',
    role: 'control-plane',
    inherit: [[HostSettingsCap, { dataDir, clusterName: 'fuzz', listen: '127.0.0.1:0' }]],
    plugins: [
      { slot: 'store', plugin: memoryStore },
      { slot: 'objects', plugin: objectsPlugin },
      { slot: 'kinds', plugin: workloadKinds },
      { slot: 'api', plugin: apiHttp },
      ...Object.entries(others).map(([slot, plugin]): SlotSpec => ({ slot, plugin })),
    ],
  })
  await host.start()
  onTestFinished(async () => {
    await host.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  return host
}

/** Sends one request; a watch is left after its first bytes. `undefined` for one that HTTP itself refuses. */
function send(session: ClientHttp2Session, { method, path, headers, body }: WeirdRequest): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined })
    const chunks: Buffer[] = []
    let status = 0
    let type = ''
    const watch = /[?&]watch=|\/watch\//.test(path)
    const cancel = (): void => stream.close(constants.NGHTTP2_CANCEL)
    let timer = setTimeout(() => {
      cancel()
      reject(new Error(`no answer within ${patienceMs} ms, status ${status}`))
    }, patienceMs)
    const finish = (): void => {
      clearTimeout(timer)
      resolve(status === 0 ? undefined : { status, type, body: Buffer.concat(chunks) })
    }
    stream.on('response', (answer) => {
      status = Number(answer[':status'])
      type = String(answer['content-type'] ?? '')
      if (!watch || status !== 200) return
      clearTimeout(timer)
      timer = setTimeout(cancel, 500)
    })
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (watch && status === 200) cancel()
    })
    stream.on('error', () => {})
    // A server that has answered resets what it did not read, and then Node closes the stream only when it is told to.
    stream.on('end', () => {
      finish()
      cancel()
    })
    stream.on('close', finish)
    if (body !== undefined) stream.end(body)
  })
}

/** Asks for an upgrade; what is upgraded is left at once. `undefined` for a connection that was closed without an answer. */
function sendUpgrade(url: string, known: object, { method, path, headers }: WeirdRequest): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const request = httpsRequest({ ...known, host: hostname, port, method, path, headers, agent: false })
    const timer = setTimeout(() => {
      request.destroy()
      reject(new Error(`no answer within ${patienceMs} ms`))
    }, patienceMs)
    const finish = (answer: Answer | undefined): void => {
      clearTimeout(timer)
      request.destroy()
      resolve(answer)
    }
    request.on('upgrade', (response) => finish({ status: response.statusCode ?? 0, type: '', body: Buffer.alloc(0) }))
    request.on('response', async (response) => {
      const chunks = await response.toArray().catch(() => [])
      finish({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body: Buffer.concat(chunks) })
    })
    request.on('error', () => finish(undefined))
    request.end()
  })
}

/** What no request may be answered with. */
function faultOf({ method }: WeirdRequest, answer: Answer | undefined): string | undefined {
  if (answer === undefined) return undefined
  const { status, type, body } = answer
  // 503: nothing connects to pods here. 504: a resource version that does not exist yet.
  if (status >= 500 && status !== 503 && status !== 504) return `status ${status}`
  if (status < 400 || method === 'HEAD') return undefined
  if (!/^application\/(json|yaml|vnd\.kubernetes\.protobuf)/.test(type)) return `an error of type ${JSON.stringify(type)}`
  if (type.startsWith('application/yaml')) return undefined
  const value = type.startsWith('application/json') ? JSON.parse(body.toString()) : decodeProtobuf(body).value
  const { kind, code, message } = value as { kind?: string; code?: number; message?: string }
  if (kind !== 'Status' || code !== status || !message) return 'an error that is no Status'
  return undefined
}

it(`answers whatever comes for ${seconds} s (seed ${seed}): no 500, no hang, no crash`, { timeout: seconds * 1000 + 60_000 }, async () => {
  const host = await startServer()
  const { url, authority, admin } = host.use(ApiEndpointCap)
  const known = { ca: authority, cert: admin?.certificate, key: admin?.privateKey }
  await host
    .use(ObjectClientCap)
    .for(APIService)
    .create({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.fuzz.example.com' },
      spec: {
        ...{ group: 'fuzz.example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15 },
        service: { namespace: 'default', name: 'a' },
      },
    })
  let session: ClientHttp2Session | undefined
  let streams = 0
  const open = (): ClientHttp2Session => {
    // Left watches are reset streams, and a server cuts those who reset a thousand: that is another attack.
    if (session === undefined || session.closed || session.destroyed || ++streams > streamsPerSession) {
      session?.close()
      streams = 0
      session = connect(url, known)
      session.on('error', () => {})
    }
    return session
  }
  onTestFinished(() => session?.destroy())
  const requests = new WeirdRequests(createSeededRandom(seed).next, host.use(RegistryCap))
  const faults: string[] = []
  const statuses = new Map<number, number>()
  const end = performance.now() + seconds * 1000
  let count = 0
  const attack = async (): Promise<void> => {
    while (performance.now() < end && faults.length < 20) {
      const isUpgrade = ++count % upgradeEvery === 0
      const request = isUpgrade ? requests.upgrade() : requests.request()
      let fault: string | undefined
      let answer: Answer | undefined
      try {
        answer = isUpgrade ? await sendUpgrade(url, known, request) : await send(open(), request)
        fault = faultOf(request, answer)
      } catch (error) {
        fault = String(error)
      }
      statuses.set(answer?.status ?? 0, (statuses.get(answer?.status ?? 0) ?? 0) + 1)
      if (fault !== undefined) {
        const { method, path, headers, body } = request
        faults.push(
          `${fault}: ${method} ${path.slice(0, 300)} ${JSON.stringify(headers)} ${body?.toString().slice(0, 3_000) ?? ''} → ${answer?.body.toString('latin1').slice(0, 600) ?? ''}`,
        )
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, attack))
  expect(faults).toEqual([])
  // The requests got through to the machine behind the API, and were not all refused at the door.
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 201, 400, 404, 405, 409, 415, 422]))
  const client = host.use(ObjectClientCap)
  const made = await client
    .for(ConfigMap)
    .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'still-alive', namespace: 'default' } })
  expect((await client.for(ConfigMap).get('default/still-alive')).metadata.uid).toBe(made.metadata.uid)
  expect((await send(open(), { method: 'GET', path: '/readyz', headers: {}, body: undefined }))?.body.toString()).toBe('ok')
})
