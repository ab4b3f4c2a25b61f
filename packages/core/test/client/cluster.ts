import { onTestFinished } from 'vitest'
import {
  type AnyPlugin,
  type Clock,
  createHost,
  definePlugin,
  type Host,
  type KubeObject,
  kind,
  type Log,
  MemoryStore,
  type ObjectClient,
  ObjectClientCap,
  type ObjectService,
  ObjectServiceCap,
  objectsPlugin,
  type Registry,
  RegistryCap,
  type ResourceDefinition,
  type Store,
  StoreCap,
} from '../../src/index.ts'

export interface Widget extends KubeObject {
  spec?: { size?: number; owner?: string; parts?: { name: string; count?: number }[] }
  status?: { phase?: string }
}

export const Widget = kind<Widget>({ group: 'demo.io', version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true })

/** A kind with everything that a kind can have; tests change parts of it. */
export const widgetResource: ResourceDefinition = {
  group: 'demo.io',
  plural: 'widgets',
  kind: 'Widget',
  shortNames: ['wd'],
  namespaced: true,
  storageVersion: 'v1',
  versions: [
    {
      name: 'v1',
      schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: {
              size: { type: 'integer', minimum: 0, default: 1 },
              owner: { type: 'string' },
              parts: {
                type: 'array',
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['name'],
                'x-kubernetes-patch-strategy': 'merge',
                'x-kubernetes-patch-merge-key': 'name',
                items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, count: { type: 'integer' } } },
              },
            },
          },
          status: { type: 'object', properties: { phase: { type: 'string' } } },
        },
      },
      subresources: [
        {
          type: 'object',
          name: 'status',
          kind: { group: 'demo.io', version: 'v1', kind: 'Widget' },
          verbs: ['get', 'update', 'patch'],
          write: (parent, body) => ({ ...parent, status: body.status }),
        },
        {
          type: 'object',
          name: 'scale',
          kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'update', 'patch'],
          schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { replicas: { type: 'integer' } } },
              status: { type: 'object', properties: { replicas: { type: 'integer' } } },
            },
          },
          read: (parent) => ({
            apiVersion: 'autoscaling/v1',
            kind: 'Scale',
            metadata: {
              name: parent.metadata.name,
              namespace: parent.metadata.namespace,
              resourceVersion: parent.metadata.resourceVersion,
              uid: parent.metadata.uid,
            },
            spec: { replicas: (parent.spec as Widget['spec'])?.size ?? 0 },
            status: { replicas: 0 },
          }),
          write: (parent, body) => ({
            ...parent,
            spec: { ...(parent.spec as object), size: (body.spec as { replicas: number }).replicas },
          }),
        },
        { type: 'action', name: 'polish', kind: { group: 'demo.io', version: 'v1', kind: 'Polish' }, verbs: ['create'] },
      ],
      selectableFields: { 'spec.owner': (object) => (object.spec as Widget['spec'])?.owner ?? '' },
    },
  ],
}

export interface Cluster {
  readonly host: Host
  readonly client: ObjectClient
  readonly service: ObjectService
  readonly registry: Registry
  readonly store: Store
}

export interface ClusterOptions {
  readonly kinds?: readonly ResourceDefinition[]
  readonly plugins?: readonly AnyPlugin[]
  readonly store?: Store
  readonly clock?: Clock
  readonly config?: unknown
  readonly log?: Log
}

/** A control plane on the memory store, as a library's user has it; it stops with the test. */
export async function startCluster({
  kinds = [widgetResource],
  plugins = [],
  store = new MemoryStore(),
  clock,
  config,
  log,
}: ClusterOptions = {}): Promise<Cluster> {
  const memory = definePlugin({ name: 'memory', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, store) })
  const demo = definePlugin({ name: 'demo', api: '^1', kinds })
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    plugins: [
      { slot: 'store', plugin: memory },
      { slot: 'objects', plugin: objectsPlugin, config },
      { slot: 'demo', plugin: demo },
      ...plugins.map((plugin, index) => ({ slot: `plugin-${index}`, plugin })),
    ],
    ...(clock === undefined ? {} : { clock }),
    ...(log === undefined ? {} : { log }),
  })
  await host.start()
  onTestFinished(() => host.stop())
  return { host, client: host.use(ObjectClientCap), service: host.use(ObjectServiceCap), registry: host.use(RegistryCap), store }
}

export const widget = (name: string, spec: Widget['spec'] = {}, more: Partial<Widget['metadata']> = {}): Widget => ({
  apiVersion: 'demo.io/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'default', ...more },
  spec,
})
