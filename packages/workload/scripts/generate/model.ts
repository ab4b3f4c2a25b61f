/** The shape of one value, as the sources declare it. */
export type TypeNode =
  | { readonly is: 'primitive'; readonly name: 'string' | 'number' | 'boolean' | 'unknown'; readonly format: string }
  | { readonly is: 'enum'; readonly values: readonly string[] }
  | { readonly is: 'ref'; readonly definition: string }
  | { readonly is: 'array'; readonly items: TypeNode }
  | { readonly is: 'map'; readonly values: TypeNode }

export interface Property {
  readonly name: string
  readonly required: boolean
  readonly type: TypeNode
  readonly description: string
}

/** One named definition of the API. */
export interface Definition {
  /** `io.k8s.api.apps.v1.DeploymentSpec`. */
  readonly name: string
  readonly description: string
  readonly properties: readonly Property[]
  /** Set when the definition is an object of its own, with a body's apiVersion and kind. */
  readonly root?: { readonly apiVersion: string; readonly kind: string }
}

/** One group version that is generated: where the sources keep it and what we call it. */
export interface GroupSource {
  readonly group: string
  readonly version: string
  /** Directory in kubernetes-models. */
  readonly directory: string
  /** Prefix of the definitions' names, without the last dot. */
  readonly prefix: string
  /** Module that the types are written to, and the word that tells colliding names apart. */
  readonly module: string
  readonly word: string
}

/** `core` → `Core`. */
export const capitalize = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const api = (group: string, version: string, short: string): GroupSource => ({
  group,
  version,
  directory: group === '' ? version : `${group}/${version}`,
  prefix: `io.k8s.api.${short}.${version}`,
  module: `${short}-${version}`,
  word: capitalize(short),
})

/** Every group version of release 1.36 that is generated, in the order in which they claim a clean name. */
export const groups: readonly GroupSource[] = [
  api('', 'v1', 'core'),
  api('apps', 'v1', 'apps'),
  api('batch', 'v1', 'batch'),
  api('autoscaling', 'v2', 'autoscaling'),
  { ...api('autoscaling', 'v1', 'autoscaling'), word: 'AutoscalingV1' },
  api('policy', 'v1', 'policy'),
  api('rbac.authorization.k8s.io', 'v1', 'rbac'),
  api('authentication.k8s.io', 'v1', 'authentication'),
  api('authorization.k8s.io', 'v1', 'authorization'),
  api('networking.k8s.io', 'v1', 'networking'),
  api('discovery.k8s.io', 'v1', 'discovery'),
  api('storage.k8s.io', 'v1', 'storage'),
  api('scheduling.k8s.io', 'v1', 'scheduling'),
  api('coordination.k8s.io', 'v1', 'coordination'),
  api('certificates.k8s.io', 'v1', 'certificates'),
  api('node.k8s.io', 'v1', 'node'),
  api('events.k8s.io', 'v1', 'events'),
  api('admissionregistration.k8s.io', 'v1', 'admissionregistration'),
  {
    ...api('apiextensions.k8s.io', 'v1', 'apiextensions'),
    prefix: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  },
  {
    ...api('apiregistration.k8s.io', 'v1', 'apiregistration'),
    prefix: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  },
  api('flowcontrol.apiserver.k8s.io', 'v1', 'flowcontrol'),
  api('resource.k8s.io', 'v1', 'resource'),
]

/** The parts of apimachinery: directory in @kubernetes-models/apimachinery → definition prefix. */
export const machinery: readonly { readonly directory: string; readonly prefix: string }[] = [
  { directory: 'apis/meta/v1', prefix: 'io.k8s.apimachinery.pkg.apis.meta.v1' },
  { directory: 'api/resource', prefix: 'io.k8s.apimachinery.pkg.api.resource' },
  { directory: 'runtime', prefix: 'io.k8s.apimachinery.pkg.runtime' },
  { directory: 'util/intstr', prefix: 'io.k8s.apimachinery.pkg.util.intstr' },
  { directory: 'version', prefix: 'io.k8s.apimachinery.pkg.version' },
]

/** The last part of a definition's name. */
export const shortName = (definition: string): string => definition.slice(definition.lastIndexOf('.') + 1)
/** Everything before the last part. */
export const prefixOf = (definition: string): string => definition.slice(0, definition.lastIndexOf('.'))
