import {
  definePlugin,
  HealthCap,
  ObjectServiceCap,
  optional,
  RegistryCap,
  SubresourceActionCap,
  type UnstructuredObject,
  VirtualObjectsCap,
} from '@continuo/core'
import { MetricsSourceCap } from './contracts/metrics-source.ts'
import type { ComponentStatus } from './generated/types/core-v1.ts'
import { bindingResource } from './kinds/core/binding.ts'
import { componentStatusResource } from './kinds/core/component-status.ts'
import { nodeMetricsResource } from './kinds/metrics/node-metrics.ts'
import { podMetricsResource } from './kinds/metrics/pod-metrics.ts'

/**
 * Kinds that are answered and never stored: ComponentStatus out of the host's health checks, `bindings`, and metrics.k8s.io
 * as long as `metrics-source/v1` is provided.
 */
export const virtualKinds = definePlugin({
  name: 'virtual-kinds',
  api: '^1',
  requires: { registry: RegistryCap, service: ObjectServiceCap, health: HealthCap, metrics: optional(MetricsSourceCap) },
  provides: [SubresourceActionCap, VirtualObjectsCap],
  kinds: [componentStatusResource, bindingResource],
  setup(ctx) {
    const { registry, service, health, metrics } = ctx.use
    const components = async () => (await health.check()).map(componentStatus)
    ctx.provide(
      VirtualObjectsCap,
      {
        list: async () => asObjects(await components()),
        get: async (_, name) => asObjects(await components()).find(({ metadata }) => metadata.name === name),
      },
      '/componentstatuses',
    )
    ctx.provide(
      SubresourceActionCap,
      {
        async run({ ref, body, options, caller }) {
          const pod = { group: '', version: 'v1', resource: 'pods', namespace: ref.namespace, name: body.metadata?.name ?? '' }
          await service.create({ ...pod, subresource: 'binding' }, body, options, caller)
          return success
        },
      },
      '/bindings/',
    )
    if (metrics === undefined) return
    ctx.provide(
      VirtualObjectsCap,
      { list: async () => asObjects(await metrics.nodes()), get: async (_, name) => asObject(await metrics.node(name)) },
      'metrics.k8s.io/nodes',
    )
    ctx.provide(
      VirtualObjectsCap,
      {
        list: async (namespace) => asObjects(await metrics.pods(namespace)),
        get: async (namespace, name) => asObject(await metrics.pod(namespace, name)),
      },
      'metrics.k8s.io/pods',
    )
    const added = [nodeMetricsResource, podMetricsResource].map((resource) => registry.add(resource, 'virtual-kinds'))
    ctx.onStop(() => {
      for (const one of added) one[Symbol.dispose]()
    })
  },
})

const success = { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', code: 201 } as unknown as UnstructuredObject

const asObject = (object: object | undefined): UnstructuredObject | undefined => object as UnstructuredObject | undefined
const asObjects = (objects: readonly object[]): readonly UnstructuredObject[] => objects as readonly UnstructuredObject[]

/** One check of the host; a name has no slash. */
const componentStatus = ({
  name,
  ok,
  reason,
}: {
  readonly name: string
  readonly ok: boolean
  readonly reason?: string
}): ComponentStatus => ({
  apiVersion: 'v1',
  kind: 'ComponentStatus',
  metadata: { name: name.replaceAll('/', '.') },
  conditions: [{ type: 'Healthy', status: ok ? 'True' : 'False', message: ok ? 'ok' : (reason ?? 'failed') }],
})
