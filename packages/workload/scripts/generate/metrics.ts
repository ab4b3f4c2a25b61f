import type { Definition, Property, TypeNode } from './model.ts'

const prefix = 'io.k8s.metrics.pkg.apis.metrics.v1beta1'
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const ref = (definition: string): TypeNode => ({ is: 'ref', definition })
const text: TypeNode = { is: 'primitive', name: 'string', format: '' }
const property = (name: string, type: TypeNode, description: string, required = false): Property => ({ name, type, description, required })
const usage = property(
  'usage',
  { is: 'map', values: ref('io.k8s.apimachinery.pkg.api.resource.Quantity') },
  'What was used, by resource: cpu in cores, memory as the working set.',
  true,
)
const typeMeta = [property('apiVersion', text, '', true), property('kind', text, '', true)]
const measured = [
  property('metadata', ref(`${meta}.ObjectMeta`), "Standard object's metadata."),
  property('timestamp', ref(`${meta}.Time`), 'End of the window in which the metrics were collected.', true),
  property('window', text, 'Length of the window in which the metrics were collected, as a Go duration.', true),
]
const list = (kind: string): Definition => ({
  name: `${prefix}.${kind}List`,
  description: `${kind}List is a list of ${kind}.`,
  root: { apiVersion: 'metrics.k8s.io/v1beta1', kind: `${kind}List` },
  properties: [
    ...typeMeta,
    property('metadata', ref(`${meta}.ListMeta`), 'Standard list metadata.'),
    property('items', { is: 'array', items: ref(`${prefix}.${kind}`) }, `List of ${kind}.`, true),
  ],
})

/** The metrics group, which neither source declares (k8s.io/metrics, pkg/apis/metrics/v1beta1). */
export const metricsDefinitions: readonly Definition[] = [
  {
    name: `${prefix}.NodeMetrics`,
    description: 'NodeMetrics sets resource usage metrics of a node.',
    root: { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'NodeMetrics' },
    properties: [...typeMeta, ...measured, usage],
  },
  list('NodeMetrics'),
  {
    name: `${prefix}.PodMetrics`,
    description: 'PodMetrics sets resource usage metrics of a pod.',
    root: { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics' },
    properties: [
      ...typeMeta,
      ...measured,
      property(
        'containers',
        { is: 'array', items: ref(`${prefix}.ContainerMetrics`) },
        'Metrics for all containers are collected within the same time window.',
        true,
      ),
    ],
  },
  list('PodMetrics'),
  {
    name: `${prefix}.ContainerMetrics`,
    description: 'ContainerMetrics sets resource usage metrics of a container.',
    properties: [property('name', text, 'Container name corresponding to the one from pod.spec.containers.', true), usage],
  },
]
