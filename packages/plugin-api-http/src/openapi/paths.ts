import { formatApiVersion, type GroupVersionKind, type ServedResource, type Verb, verbsOf } from '@continuo/core'
import { allVerbs } from '../discovery/describe-resources.ts'
import { deleteParameters, listParameters, patchParameters, writeParameters } from './parameters.ts'
import type { PathStyle } from './path-style.ts'

type Json = Record<string, unknown>

/** Names of the definitions that the operations of a resource speak of. */
export interface PathKinds {
  readonly object: Json
  readonly list: Json
  readonly deleteOptions: Json
  readonly patch: Json
  readonly status: Json
  /** Bodies of subresources by name. */
  readonly subresources: Readonly<Record<string, Json>>
}

const json = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
/** Strategic merge stays last: custom resources do not offer it, and kubectl looks here before it sends one. */
const allPatchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

const capitalize = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** `AppsV1`, `CoreV1`, `RbacAuthorizationV1`: the middle of operation ids. */
const groupName = (group: string, version: string): string => {
  const name = group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')
  return name.split(/[.-]/).map(capitalize).join('') + capitalize(version)
}

const tagOf = (group: string, version: string): string =>
  `${group === '' ? 'core' : group.replace(/\.k8s\.io$/, '').replaceAll(/[.-](\w)/g, (_, letter: string) => letter.toUpperCase())}_${version}`

interface Shape {
  readonly action: string
  readonly verb: string
  readonly description: string
  readonly parameters?: readonly Json[]
  readonly body?: Json
  readonly bodyTypes?: readonly string[]
  readonly answer?: Json
  readonly codes?: readonly number[]
}

/** Paths of one served resource. Pure. */
export function pathsOf(served: ServedResource, kinds: PathKinds, style: PathStyle): Record<string, Json> {
  const { definition, gvr, gvk, version } = served
  const verbs: readonly Verb[] = verbsOf(definition) ?? allVerbs
  const patchTypes = definition.custom === true ? allPatchTypes.slice(0, -1) : allPatchTypes
  const tag = tagOf(gvr.group, gvr.version)
  const scope = definition.namespaced ? 'Namespaced' : ''
  const root = `${gvr.group === '' ? '/api' : '/apis'}/${formatApiVersion(gvr)}`
  const collection = `${root}${definition.namespaced ? '/namespaces/{namespace}' : ''}/${definition.plural}`
  const item = `${collection}/{name}`
  const namespaceParameter = definition.namespaced ? [style.parameter('namespace', 'path', 'string', 'Name of the namespace.')] : []
  const nameParameter = style.parameter('name', 'path', 'string', `Name of the ${gvk.kind}.`)
  const pretty = style.parameter('pretty', 'query', 'string', 'true: the answer is indented.')

  const operation = (shape: Shape, kind: GroupVersionKind, suffix = ''): Json => ({
    tags: [tag],
    description: shape.description,
    operationId: `${shape.verb}${groupName(gvr.group, gvr.version)}${scope}${definition.kind}${suffix}`,
    ...(shape.parameters === undefined ? {} : { parameters: shape.parameters }),
    ...style.body(shape.body, shape.bodyTypes ?? json),
    ...style.answers(shape.answer ?? kinds.object, shape.codes ?? [200]),
    'x-kubernetes-action': shape.action,
    'x-kubernetes-group-version-kind': { group: kind.group, kind: kind.kind, version: kind.version },
  })

  /** Body parameters of OpenAPI v2 and query parameters meet in one list. */
  const merged = (shape: Shape, kind: GroupVersionKind, suffix = ''): Json => {
    const made = operation(shape, kind, suffix)
    if (made.bodyParameters === undefined) return made
    const { bodyParameters, ...rest } = made
    return { ...rest, parameters: [...((rest.parameters as Json[] | undefined) ?? []), ...(bodyParameters as Json[])] }
  }

  const paths: Record<string, Json> = {}
  const add = (path: string, method: string, value: Json, parameters: readonly Json[]): void => {
    paths[path] ??= { parameters }
    ;(paths[path] as Json)[method] = value
  }
  const has = (verb: Verb): boolean => verbs.includes(verb)
  const here = [...namespaceParameter, pretty]
  const one = [nameParameter, ...here]
  const { kind } = gvk
  if (has('list')) {
    const list: Shape = {
      action: 'list',
      verb: 'list',
      description: `list or watch objects of kind ${kind}`,
      parameters: listParameters(style),
      answer: kinds.list,
    }
    add(collection, 'get', merged(list, gvk), here)
    if (definition.namespaced) add(`${root}/${definition.plural}`, 'get', { ...merged(list, gvk, 'ForAllNamespaces') }, [pretty])
  }
  if (has('create'))
    add(
      collection,
      'post',
      merged(
        {
          action: 'post',
          verb: 'create',
          description: `create a ${kind}`,
          parameters: writeParameters(style),
          body: kinds.object,
          codes: [200, 201, 202],
        },
        gvk,
      ),
      here,
    )
  if (has('deletecollection')) {
    add(
      collection,
      'delete',
      merged(
        {
          action: 'deletecollection',
          verb: 'deleteCollection',
          description: `delete a collection of ${kind}`,
          parameters: [...listParameters(style), ...deleteParameters(style)],
          body: kinds.deleteOptions,
          answer: kinds.status,
        },
        gvk,
      ),
      here,
    )
  }
  if (has('get')) add(item, 'get', merged({ action: 'get', verb: 'read', description: `read the specified ${kind}` }, gvk), one)
  if (has('update'))
    add(
      item,
      'put',
      merged(
        {
          action: 'put',
          verb: 'replace',
          description: `replace the specified ${kind}`,
          parameters: writeParameters(style),
          body: kinds.object,
          codes: [200, 201],
        },
        gvk,
      ),
      one,
    )
  if (has('patch'))
    add(
      item,
      'patch',
      merged(
        {
          action: 'patch',
          verb: 'patch',
          description: `partially update the specified ${kind}`,
          parameters: patchParameters(style),
          body: kinds.patch,
          bodyTypes: patchTypes,
          codes: [200, 201],
        },
        gvk,
      ),
      one,
    )
  if (has('delete'))
    add(
      item,
      'delete',
      merged(
        {
          action: 'delete',
          verb: 'delete',
          description: `delete a ${kind}`,
          parameters: deleteParameters(style),
          body: kinds.deleteOptions,
          answer: kinds.status,
          codes: [200, 202],
        },
        gvk,
      ),
      one,
    )
  for (const subresource of version.subresources ?? []) {
    const path = `${item}/${subresource.name}`
    const suffix = capitalize(subresource.name)
    const own = kinds.subresources[subresource.name] ?? kinds.object
    for (const verb of subresource.verbs) {
      if (subresource.type === 'connect') {
        const method = { get: 'get', create: 'post', update: 'put', patch: 'patch', delete: 'delete' }[verb]
        add(
          path,
          method,
          {
            ...merged(
              {
                action: 'connect',
                verb: `connect${capitalize(method)}`,
                description: `connect ${method.toUpperCase()} requests to ${subresource.name} of ${kind}`,
              },
              subresource.kind,
              suffix,
            ),
            ...style.answers(undefined, [200]),
          },
          one,
        )
      } else if (verb === 'get')
        add(
          path,
          'get',
          merged(
            { action: 'get', verb: 'read', description: `read ${subresource.name} of the specified ${kind}`, answer: own },
            subresource.kind,
            suffix,
          ),
          one,
        )
      else if (verb === 'create')
        add(
          path,
          'post',
          merged(
            {
              action: 'post',
              verb: 'create',
              description: `create ${subresource.name} of a ${kind}`,
              parameters: writeParameters(style),
              body: own,
              answer: own,
              codes: [200, 201, 202],
            },
            subresource.kind,
            suffix,
          ),
          one,
        )
      else if (verb === 'update')
        add(
          path,
          'put',
          merged(
            {
              action: 'put',
              verb: 'replace',
              description: `replace ${subresource.name} of the specified ${kind}`,
              parameters: writeParameters(style),
              body: own,
              answer: own,
              codes: [200, 201],
            },
            subresource.kind,
            suffix,
          ),
          one,
        )
      else if (verb === 'patch')
        add(
          path,
          'patch',
          merged(
            {
              action: 'patch',
              verb: 'patch',
              description: `partially update ${subresource.name} of the specified ${kind}`,
              parameters: patchParameters(style),
              body: kinds.patch,
              bodyTypes: patchTypes,
              answer: own,
              codes: [200, 201],
            },
            subresource.kind,
            suffix,
          ),
          one,
        )
    }
  }
  return paths
}
