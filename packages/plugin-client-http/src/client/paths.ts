import { ApiError, type GroupVersionResource, type Kind, type KubeObject, type Locator, type ObjectKey, parseKey } from '@continuo/core'

/** One segment of a path. Refuses what would leave its place there, also for servers and proxies that decode before they split. */
function segment(text: string, what: string): string {
  if (text === '' || text === '.' || text === '..' || /[/\\%\p{Cc}]/u.test(text)) {
    throw new ApiError('BadRequest', `${JSON.stringify(text)} is no ${what}`)
  }
  return encodeURIComponent(text)
}

/** Where a collection is; an empty namespace is all of them. */
export function collectionPath(resource: GroupVersionResource, namespace: string): string {
  const version = segment(resource.version, 'version')
  const root = resource.group === '' ? `/api/${version}` : `/apis/${segment(resource.group, 'group')}/${version}`
  const within = namespace === '' ? '' : `/namespaces/${segment(namespace, 'namespace')}`
  return `${root}${within}/${segment(resource.resource, 'resource')}`
}

/** Where one object is, or a subresource of it. */
export function objectPath(kind: Kind, { namespace, name }: ObjectKey, subresource?: string): string {
  if (kind.namespaced && namespace === '') {
    throw new ApiError('BadRequest', 'an empty namespace may not be set when a resource name is provided')
  }
  const path = `${collectionPath(kind, namespace)}/${segment(name, 'name')}`
  return subresource === undefined ? path : `${path}/${segment(subresource, 'subresource')}`
}

/** Where a locator points: text is `namespace/name`; an object that bears the key will do. Throws 400 for one without a name. */
export function keyAt(kind: Kind, at: Locator | KubeObject): ObjectKey {
  const key =
    typeof at === 'string' ? parseKey(at) : 'metadata' in at ? { namespace: at.metadata?.namespace ?? '', name: at.metadata?.name } : at
  if (!key.name) throw new ApiError('BadRequest', `the ${kind.kind} to work on has no name`)
  return { namespace: kind.namespaced ? (key.namespace ?? '') : '', name: key.name }
}
