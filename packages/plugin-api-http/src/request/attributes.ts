import type { UserInfo } from '@continuo/core'
import type { AccessAttributes } from '@continuo/workload'
import type { RequestPath, ResourcePath } from './path.ts'
import { readFlag } from './query-options.ts'

const enteringSubresources: readonly string[] = ['exec', 'attach', 'portforward']

/** A stream into a pod does more than read, and WebSockets can only begin with GET: it needs the right to create, whatever the method. */
const entersPod = ({ group, resource, subresource }: ResourcePath): boolean =>
  group === '' && resource === 'pods' && enteringSubresources.includes(subresource)

/** The verb of a request as authorisation and metrics know it. Pure. */
export function verbOf(method: string, path: RequestPath, query: URLSearchParams | undefined): string {
  if (!path.isResource) return method.toLowerCase()
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (entersPod(path)) return 'create'
      if (path.watch) return 'watch'
      if (path.name !== '') return 'get'
      return query !== undefined && readFlag(query, 'watch') ? 'watch' : 'list'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return path.name === '' ? 'deletecollection' : 'delete'
    default:
      return method.toLowerCase()
  }
}

/** What authorisation is asked about. For a list or watch that selects one name, that name. */
export function attributesOf(
  user: UserInfo,
  verb: string,
  path: RequestPath,
  rawPath: string,
  query: URLSearchParams | undefined,
): AccessAttributes {
  if (!path.isResource) {
    return {
      user,
      verb,
      isResource: false,
      group: '',
      version: '',
      resource: '',
      subresource: '',
      namespace: '',
      name: '',
      path: `/${path.segments.join('/')}`,
    }
  }
  const fieldSelector = query?.get('fieldSelector') ?? undefined
  const selected =
    path.name === '' && fieldSelector !== undefined ? /(?:^|,)metadata\.name={1,2}([^,=!]+)(?:,|$)/.exec(fieldSelector)?.[1] : undefined
  return {
    user,
    verb,
    isResource: true,
    group: path.group,
    version: path.version,
    resource: path.resource,
    subresource: path.subresource,
    namespace: path.namespace,
    name: selected ?? path.name,
    path: rawPath,
    fieldSelector,
    labelSelector: query?.get('labelSelector') ?? undefined,
  }
}
