import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { capitalize, type Definition, type GroupSource, groups, prefixOf, shortName, type TypeNode } from './model.ts'

interface Attribute {
  readonly baseName: string
  readonly type: string
  readonly format: string
}

/** Adds the formats of client-node's `attributeTypeMap`, and drops properties that release 1.36 no longer has. */
export function withFormats(
  definitions: readonly Definition[],
  clientRoot: string,
): { definitions: readonly Definition[]; dropped: string[] } {
  const dropped: string[] = []
  const result = definitions.map((definition) => {
    const attributes = attributesOf(definition.name, clientRoot)
    if (attributes === undefined) return definition
    const byName = new Map(attributes.map((attribute) => [attribute.baseName, attribute]))
    const properties = definition.properties.flatMap((property) => {
      const attribute = byName.get(property.name)
      if (attribute === undefined) {
        dropped.push(`${definition.name}.${property.name}`)
        return []
      }
      return attribute.format === '' ? [property] : [{ ...property, type: formatted(property.type, attribute.format) }]
    })
    return { ...definition, properties }
  })
  return { definitions: result, dropped }
}

function formatted(type: TypeNode, format: string): TypeNode {
  if (type.is === 'primitive') return { ...type, format }
  if (type.is === 'array') return { is: 'array', items: formatted(type.items, format) }
  if (type.is === 'map') return { is: 'map', values: formatted(type.values, format) }
  return type
}

/** client-node names a model `V1Deployment`, and `CoreV1Event` where two groups have it. */
function attributesOf(definition: string, clientRoot: string): readonly Attribute[] | undefined {
  const prefix = prefixOf(definition)
  const version = prefix.slice(prefix.lastIndexOf('.') + 1)
  const group = groups.find((candidate) => candidate.prefix === prefix)
  const versioned = capitalize(version) + shortName(definition)
  const names = group === undefined ? [versioned] : [`${clientWord(group)}${versioned}`, versioned]
  for (const name of names) {
    const path = join(clientRoot, 'gen/models', `${name}.js`)
    if (!existsSync(path)) continue
    const source = readFileSync(path, 'utf8')
    const start = source.indexOf('.attributeTypeMap = [')
    if (start < 0) continue
    const from = source.indexOf('[', start)
    return JSON.parse(source.slice(from, source.indexOf('];', from) + 1))
  }
  return undefined
}

const clientWord = (group: GroupSource): string => capitalize(group.module.slice(0, group.module.indexOf('-')))

/** One resource or subresource of a group version, as the paths of client-node say. */
export interface ResourceFacts {
  readonly plural: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  /** Definition of its objects; absent for streams (`exec`, `proxy`). */
  readonly definition?: string
  readonly subresources: Readonly<Record<string, { readonly verbs: readonly string[]; readonly definition?: string }>>
}

interface Found {
  namespaced: boolean
  readonly verbs: Set<string>
  model?: string
  readonly subresources: Map<string, { readonly verbs: Set<string>; model?: string }>
}

const verbOrder = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** Reads paths, verbs and the kinds behind them from client-node's API classes. */
export function readResources(group: GroupSource, clientRoot: string, known: ReadonlySet<string>): readonly ResourceFacts[] {
  const path = readdirSync(join(clientRoot, 'gen/apis')).find((name) => name.toLowerCase() === apiFile(group).toLowerCase())
  if (path === undefined) return []
  const source = readFileSync(join(clientRoot, 'gen/apis', path), 'utf8')
  const models = new Map(
    [...source.matchAll(/async (\w+)WithHttpInfo\(response\) \{[\s\S]*?, "(\w+)", ""\)/g)].map((match) => [
      match[1] as string,
      match[2] as string,
    ]),
  )
  const requests = source.matchAll(/async (\w+)\(([^)]*)\) \{[\s\S]*?const localVarPath = '([^']*)'[\s\S]*?HttpMethod\.(\w+)\)/g)
  const resources = new Map<string, Found>()
  for (const [, operation = '', parameters = '', url = ''] of requests) {
    const parsed = parseUrl(url, group)
    const verb = verbOf(operation)
    if (parsed === undefined || verb === undefined) continue
    const resource: Found = resources.get(parsed.plural) ?? { namespaced: false, verbs: new Set(), subresources: new Map() }
    resources.set(parsed.plural, resource)
    if (parsed.namespaced) resource.namespaced = true
    const body = new RegExp(`async ${operation}\\([\\s\\S]*?serialize\\(body, "(\\w+)"`)
    if (parsed.subresource === undefined) {
      resource.verbs.add(verb)
      if (verb === 'list' && parameters.includes('watch')) resource.verbs.add('watch')
      if (verb === 'get' || verb === 'create') resource.model ??= models.get(operation)
      continue
    }
    const sub = resource.subresources.get(parsed.subresource) ?? { verbs: new Set() }
    resource.subresources.set(parsed.subresource, sub)
    sub.verbs.add(verb)
    if (verb === 'create' && !operation.startsWith('connect'))
      sub.model = source.slice(source.indexOf(`async ${operation}(`)).match(body)?.[1]
    else if (!operation.startsWith('connect')) sub.model ??= models.get(operation)
  }
  const order = (verbs: ReadonlySet<string>) => verbOrder.filter((verb) => verbs.has(verb))
  return [...resources]
    .filter(([, resource]) => resource.verbs.size > 0)
    .map(([plural, resource]) => ({
      plural,
      namespaced: resource.namespaced,
      verbs: order(resource.verbs),
      definition: definitionOf(resource.model, group, known),
      subresources: Object.fromEntries(
        [...resource.subresources]
          .sort()
          .map(([name, sub]) => [name, { verbs: order(sub.verbs), definition: definitionOf(sub.model, group, known) }]),
      ),
    }))
    .sort((a, b) => (a.plural < b.plural ? -1 : 1))
}

const apiFile = (group: GroupSource): string => {
  const [first, second] = group.group.split('.')
  const name = group.group === '' ? 'core' : second === 'authorization' || second === 'apiserver' ? `${first}${second}` : (first as string)
  return `${name}${group.version}Api.js`
}

function parseUrl(url: string, group: GroupSource): { plural: string; namespaced: boolean; subresource?: string } | undefined {
  const base = group.group === '' ? `/api/${group.version}/` : `/apis/${group.group}/${group.version}/`
  if (!url.startsWith(base)) return undefined
  const parts = url.slice(base.length).split('/')
  const namespaced = parts[0] === 'namespaces' && parts[1] === '{namespace}' && parts.length > 2
  const rest = namespaced ? parts.slice(2) : parts
  if (rest[0] === '' || rest[0] === undefined || rest[0] === 'watch') return undefined
  const subresource = rest[2]
  return subresource === undefined ? { plural: rest[0], namespaced } : { plural: rest[0], namespaced, subresource }
}

const verbs: readonly (readonly [string, string])[] = [
  ['deleteCollection', 'deletecollection'],
  ['connectPost', 'create'],
  ['connectGet', 'get'],
  ['connectPut', 'update'],
  ['connectDelete', 'delete'],
  ['connectPatch', 'patch'],
  ['create', 'create'],
  ['delete', 'delete'],
  ['list', 'list'],
  ['patch', 'patch'],
  ['read', 'get'],
  ['replace', 'update'],
]

const verbOf = (operation: string): string | undefined => verbs.find(([prefix]) => operation.startsWith(prefix))?.[1]

function definitionOf(model: string | undefined, group: GroupSource, known: ReadonlySet<string>): string | undefined {
  if (model === undefined || model === 'string' || model === 'any') return undefined
  const match = /^([A-Z][a-z]+?)??V(\d\w*?)([A-Z]\w*)$/.exec(model)
  if (match === null) return undefined
  const [, word, version, short] = match
  const candidates = word === undefined ? [group, ...groups] : groups.filter((candidate) => clientWord(candidate) === word)
  return candidates.map((candidate) => `${candidate.prefix}.${short}`).find((name) => known.has(name) && name.includes(`.v${version}.`))
}
