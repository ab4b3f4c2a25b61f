import { definePlugin } from '@continuo/core'
import { MetricsSourceCap, type NodeMetrics, type PodMetrics, virtualKinds } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const measured = { timestamp: '2026-01-02T03:04:05Z', window: '30s' }
const node: NodeMetrics = {
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'NodeMetrics',
  metadata: { name: 'n', labels: { zone: 'a' } },
  ...measured,
  usage: { cpu: '250m', memory: '1Gi' },
}
const pod: PodMetrics = {
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'PodMetrics',
  metadata: { name: 'p', namespace: 'default', labels: { app: 'web' } },
  ...measured,
  containers: [
    { name: 'a', usage: { cpu: '100m', memory: '1Mi' } },
    { name: 'b', usage: { cpu: '150m', memory: '2Mi' } },
  ],
}
const source = definePlugin({
  name: 'fixed-metrics',
  api: '^1',
  provides: [MetricsSourceCap],
  setup: (ctx) =>
    ctx.provide(MetricsSourceCap, {
      nodes: async () => [node],
      node: async (name) => (name === 'n' ? node : undefined),
      pods: async (namespace) => (namespace === '' || namespace === 'default' ? [pod] : []),
      pod: async (namespace, name) => (namespace === 'default' && name === 'p' ? pod : undefined),
    }),
})

const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

let api: RunningApi
beforeAll(async () => {
  api = await startApi({}, [
    { slot: 'virtual', plugin: virtualKinds },
    { slot: 'metrics', plugin: source },
  ])
})
afterAll(() => api[Symbol.asyncDispose]())

describe('kinds that are computed', () => {
  it('tell the health of the parts, with a warning that the kind is old', async () => {
    const list = await api.call('/api/v1/componentstatuses')
    expect(list.headers.warning).toContain('v1 ComponentStatus is deprecated in v1.19+')
    expect(list.json).toMatchObject({ kind: 'ComponentStatusList', apiVersion: 'v1' })
    const [first] = list.json.items
    expect(first.conditions).toEqual([{ type: 'Healthy', status: 'True', message: 'ok' }])
    const one = await api.call(`/api/v1/componentstatuses/${first.metadata.name}`, { headers: table })
    expect(one.json.rows[0].cells).toEqual([first.metadata.name, 'Healthy', 'ok', ''])
    expect((await api.call('/api/v1/componentstatuses/none')).json).toMatchObject({ code: 404, reason: 'NotFound' })
    expect((await api.call('/api/v1/componentstatuses', { method: 'POST', body: {} })).status).toBe(405)
    expect((await api.call('/api/v1/componentstatuses?watch=true')).status).toBe(405)
  })

  it('are measurements where a source measures', async () => {
    expect((await api.call('/apis/metrics.k8s.io/v1beta1/nodes')).json).toMatchObject({
      kind: 'NodeMetricsList',
      items: [{ usage: { cpu: '250m' } }],
    })
    const pods = '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods'
    expect((await api.call(`${pods}/p`)).json).toMatchObject({ kind: 'PodMetrics', window: '30s' })
    expect((await api.call(`${pods}?labelSelector=app%3Ddb`)).json.items).toEqual([])
    expect((await api.call('/apis/metrics.k8s.io/v1beta1/namespaces/other/pods')).json.items).toEqual([])
    expect((await api.call('/apis/metrics.k8s.io/v1beta1/pods', { headers: table })).json.rows[0].cells).toEqual([
      'p',
      '250m',
      '3Mi',
      '30s',
    ])
    const resources = (await api.call('/apis/metrics.k8s.io/v1beta1')).json.resources
    expect(resources.map(({ name, verbs }: { name: string; verbs: string[] }) => [name, verbs])).toEqual([
      ['nodes', ['get', 'list']],
      ['pods', ['get', 'list']],
    ])
    const { paths } = (await api.call('/openapi/v3/apis/metrics.k8s.io/v1beta1')).json
    expect(Object.keys(paths)).toContain('/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods/{name}')
  })

  it('assign a pod to a node by `bindings`', async () => {
    const pods = '/api/v1/namespaces/default/pods'
    await api.call(pods, { method: 'POST', body: { metadata: { name: 'bound' }, spec: { containers: [{ name: 'c', image: 'i' }] } } })
    const body = { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n' } }
    const answer = await api.call('/api/v1/namespaces/default/bindings', { method: 'POST', body })
    expect([answer.status, answer.json.kind, answer.json.status]).toEqual([201, 'Status', 'Success'])
    expect((await api.call(`${pods}/bound`)).json.spec.nodeName).toBe('n')
    expect((await api.call('/api/v1/namespaces/default/bindings', { method: 'POST', body })).status).toBe(409)
  })
})

describe('metrics without a source', () => {
  it('are not served', async () => {
    await using bare = await startApi({}, [{ slot: 'virtual', plugin: virtualKinds }])
    expect((await bare.call('/apis/metrics.k8s.io/v1beta1/nodes')).status).toBe(404)
    expect((await bare.call('/apis')).text).not.toContain('metrics.k8s.io')
  })
})
