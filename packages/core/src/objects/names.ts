/** Group and version, as a body's `apiVersion` says it. The group of the core API is the empty string. */
export interface GroupVersion {
  readonly group: string
  readonly version: string
}

export interface GroupVersionKind extends GroupVersion {
  readonly kind: string
}

export interface GroupVersionResource extends GroupVersion {
  /** The plural, lower-case name that stands in URLs. */
  readonly resource: string
}

/** Identity of a resource across its versions. */
export interface GroupResource {
  readonly group: string
  readonly resource: string
}

/** `v1` → core; `apps/v1` → group apps. */
export function parseApiVersion(apiVersion: string): GroupVersion {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

export const formatApiVersion = (gv: GroupVersion): string => (gv.group === '' ? gv.version : `${gv.group}/${gv.version}`)

/** `deployments.apps`, or `namespaces` for the core group: how errors and customresourcedefinitions name a resource. */
export const formatGroupResource = (gr: GroupResource): string => (gr.group === '' ? gr.resource : `${gr.resource}.${gr.group}`)
