/**
 * Defaults that the OpenAPI documents of Kubernetes state and that identity depends on: list-map keys
 * that may be left out. All other defaults are the strategies' business.
 */
export const schemaDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'io.k8s.api.core.v1.ContainerPort': { protocol: 'TCP' },
  'io.k8s.api.core.v1.ServicePort': { protocol: 'TCP' },
}
