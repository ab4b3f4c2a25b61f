import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { formatApiVersion, objectKey, parseApiVersion, type Registry, RegistryCap, StoreCap, type UnstructuredObject } from '@continuo/core'
import { decodeProtobuf, hasProtobufForm } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

// Official objects with every field set, kept beside the project where it is developed. Their values are invented (`phaseValue`), and no
// validation lets them pass: they are put into the store as a write would leave them there, and read through the API.
const folder = join(import.meta.dirname, '../../../../../shared/data/kubernetes-1.36-fixtures')
const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []

/** Versions that release 1.36 serves by default; the others are off unless somebody turns them on. */
const isStable = (name: string): boolean => /\.v\d+\.[A-Za-z]+\.json$/.test(name)
// A watch event names no kind: it is never an object of its own.
const objects = names
  .filter((name) => isStable(name) && name !== 'core.v1.WatchEvent.json')
  .map((name): [string, UnstructuredObject] => [name.slice(0, -'.json'.length), read(name)])
function read(name: string): UnstructuredObject {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'))
}

let api: RunningApi
let registry: Registry
beforeAll(async () => {
  api = await startApi()
  registry = api.host.use(RegistryCap)
})
afterAll(() => api[Symbol.asyncDispose]())

const servedOf = ({ apiVersion, kind }: UnstructuredObject) => registry.resolveKind({ ...parseApiVersion(apiVersion), kind })

/** The bytes of a stored value: format 1, JSON, no key; metadata without what the store itself knows. */
function storedValue(object: UnstructuredObject): Uint8Array {
  const { resourceVersion: _, selfLink: __, ...metadata } = object.metadata as UnstructuredObject['metadata'] & { selfLink?: string }
  return Buffer.concat([Uint8Array.of(1, 1, 0), Buffer.from(JSON.stringify({ ...object, metadata }))])
}

const bytesOf = (path: string, accept: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(api.endpoint.url)
    const { certificate: cert, privateKey: key } = api.endpoint.admin ?? {}
    const request = httpsRequest(
      { host: hostname, port, path, ca: api.endpoint.authority, cert, key, agent: false, headers: { accept } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)))
      },
    )
    request.on('error', reject).end()
  })

/** Resource versions are the store's, and self links are of the past. */
const meaning = ({ metadata, ...rest }: UnstructuredObject) => {
  const { resourceVersion: _, selfLink: __, ...meta } = metadata as UnstructuredObject['metadata'] & { selfLink?: string }
  return { ...rest, metadata: meta }
}

describe.skipIf(names.length === 0)('official objects (skipped: the folder with Kubernetes’ fixtures is not beside the project)', () => {
  it.each(objects)('%s is stored and read back, in each form', async (name, fixture) => {
    const served = servedOf(fixture)
    if (served === undefined || served.definition.virtual === true) {
      expect(neverStored).toContain(name)
      return
    }
    const { definition, gvr } = served
    const storageVersion = formatApiVersion({ group: definition.group, version: definition.storageVersion })
    const stored =
      definition.convert === undefined || fixture.apiVersion === storageVersion
        ? { ...fixture, apiVersion: storageVersion }
        : ((await definition.convert([fixture], storageVersion))[0] as UnstructuredObject)
    const { name: object, namespace = '' } = fixture.metadata
    const key = objectKey(definition, definition.namespaced ? namespace : '', object)
    const store = api.host.use(StoreCap)
    await store.commit({ conditions: [], writes: [{ type: 'put', key, value: storedValue(stored) }] })

    const root = `${gvr.group === '' ? '/api' : '/apis'}/${fixture.apiVersion}`
    const collection = `${root}${definition.namespaced ? `/namespaces/${namespace}` : ''}/${definition.plural}`
    const answer = await api.call(`${collection}/${object}`)
    expect(answer.status).toBe(200)
    expect(meaning(answer.json)).toEqual(meaning(fixture))
    const list = await api.call(`${collection}?fieldSelector=metadata.name%3D${object}`)
    expect(list.json.items.map(meaning)).toEqual([meaning({ ...fixture })])
    if (hasProtobufForm(fixture.apiVersion, fixture.kind)) {
      const bytes = await bytesOf(`${collection}/${object}`, 'application/vnd.kubernetes.protobuf')
      expect(meaning(decodeProtobuf(bytes).value)).toEqual(meaning(fixture))
    }
    await store.commit({ conditions: [], writes: [{ type: 'delete', key }] })
  })
})

/** Bodies of requests and answers, and what Kubernetes itself serves nowhere. */
const neverStored = [
  'admission.k8s.io.v1.AdmissionReview',
  'apidiscovery.k8s.io.v2.APIGroupDiscovery',
  'authentication.k8s.io.v1.SelfSubjectReview',
  'authentication.k8s.io.v1.TokenRequest',
  'authentication.k8s.io.v1.TokenReview',
  'authorization.k8s.io.v1.LocalSubjectAccessReview',
  'authorization.k8s.io.v1.SelfSubjectAccessReview',
  'authorization.k8s.io.v1.SelfSubjectRulesReview',
  'authorization.k8s.io.v1.SubjectAccessReview',
  'autoscaling.v1.Scale',
  'core.v1.APIGroup',
  'core.v1.APIVersions',
  'core.v1.Binding',
  'core.v1.ComponentStatus',
  'core.v1.CreateOptions',
  'core.v1.DeleteOptions',
  'core.v1.GetOptions',
  'core.v1.ListOptions',
  'core.v1.NodeProxyOptions',
  'core.v1.PatchOptions',
  'core.v1.PodAttachOptions',
  'core.v1.PodExecOptions',
  'core.v1.PodLogOptions',
  'core.v1.PodPortForwardOptions',
  'core.v1.PodProxyOptions',
  'core.v1.PodStatusResult',
  'core.v1.RangeAllocation',
  'core.v1.SerializedReference',
  'core.v1.ServiceProxyOptions',
  'core.v1.Status',
  'core.v1.UpdateOptions',
  'policy.v1.Eviction',
]
