import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { capitalize, type Definition, groups, machinery, type Property, type TypeNode } from './model.ts'

/** Reads the documented declarations of kubernetes-models and its apimachinery package. */
export function readDeclarations(modelsRoot: string): readonly Definition[] {
  const machineryRoot = join(dirname(modelsRoot), '@kubernetes-models', 'apimachinery')
  const sources = [
    ...groups.map((group) => ({ root: modelsRoot, ...group })),
    ...machinery.map((part) => ({ root: machineryRoot, ...part })),
  ]
  const files = sources.flatMap((source) =>
    readdirSync(join(source.root, source.directory))
      .filter((name) => name.endsWith('.d.ts') && name !== 'index.d.ts')
      .map((name) => ({ path: join(source.root, source.directory, name), name: `${source.prefix}.${name.slice(0, -'.d.ts'.length)}` })),
  )
  const byIdentifier = new Map(files.map((file) => [`I${identifierOf(file.name)}`, file.name]))
  return files.map((file) => readFile(file.path, file.name, byIdentifier))
}

/** `io.k8s.api.apps.v1.Deployment` → `IoK8sApiAppsV1Deployment`, the alias under which kubernetes-models exports it. */
const identifierOf = (definition: string): string =>
  definition
    .split(/[.-]/)
    .map((part) => capitalize(part))
    .join('')

function readFile(path: string, name: string, byIdentifier: ReadonlyMap<string, string>): Definition {
  const source = readFileSync(path, 'utf8')
  const { program, comments, errors } = parseSync(path, source)
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0]?.message}`)
  const docs = new Map(comments.filter((comment) => comment.type === 'Block').map((comment) => [comment.end, documentation(comment.value)]))
  /** The block comment that ends right before a node: only white space lies between. */
  const docOf = (start: number): string => {
    let end = start
    while (end > 0 && /\s/.test(source.charAt(end - 1))) end--
    return docs.get(end) ?? ''
  }
  const short = name.slice(name.lastIndexOf('.') + 1)
  for (const statement of program.body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration?.type !== 'TSInterfaceDeclaration') continue
    if (statement.declaration.id.name !== `I${short}`) continue
    const literals = new Map<string, string>()
    const properties: Property[] = []
    for (const member of statement.declaration.body.body) {
      if (member.type !== 'TSPropertySignature' || member.typeAnnotation === null || member.typeAnnotation === undefined) continue
      const key = member.key.type === 'Literal' ? String(member.key.value) : (member.key as { name: string }).name
      const annotation = member.typeAnnotation.typeAnnotation
      if (annotation.type === 'TSLiteralType') literals.set(key, String((annotation.literal as { value: unknown }).value))
      properties.push({
        name: key,
        required: member.optional !== true,
        type: toTypeNode(annotation, (identifier) => (identifier === `I${short}` ? name : byIdentifier.get(identifier)), `${name}.${key}`),
        description: docOf(member.start),
      })
    }
    const apiVersion = literals.get('apiVersion')
    const kind = literals.get('kind')
    const description = docOf(statement.start)
    return apiVersion === undefined || kind === undefined
      ? { name, description, properties }
      : { name, description, properties, root: { apiVersion, kind } }
  }
  return { name, description: docs.values().next().value ?? '', properties: [] }
}

/** The text of a JSDoc block, without its stars. */
const documentation = (comment: string): string =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
    .replaceAll('\\*', '*')

const primitive = (name: 'string' | 'number' | 'boolean' | 'unknown'): TypeNode => ({ is: 'primitive', name, format: '' })

/** A node of the parser's tree, which is a union of some 200 types; only the handful below occurs here. */
// biome-ignore lint/suspicious/noExplicitAny: narrowed by `type` in the one function that reads it
type AnyNode = any

function toTypeNode(node: AnyNode, resolve: (identifier: string) => string | undefined, where: string): TypeNode {
  switch (node.type) {
    case 'TSStringKeyword':
      return primitive('string')
    case 'TSNumberKeyword':
      return primitive('number')
    case 'TSBooleanKeyword':
      return primitive('boolean')
    case 'TSLiteralType':
      return primitive('string')
    case 'TSUnionType':
      return { is: 'enum', values: node.types.map((type: AnyNode) => String(type.literal.value)) }
    case 'TSTypeLiteral': {
      const index = node.members.find((member: AnyNode) => member.type === 'TSIndexSignature')
      if (index !== undefined) return { is: 'map', values: toTypeNode(index.typeAnnotation.typeAnnotation, resolve, where) }
      // The one inlined object of the sources: the claim templates of a stateful set.
      return { is: 'ref', definition: 'io.k8s.api.core.v1.PersistentVolumeClaim' }
    }
    case 'TSTypeReference': {
      if (node.typeName.name === 'Array') return { is: 'array', items: toTypeNode(node.typeArguments.params[0], resolve, where) }
      const definition = resolve(node.typeName.name)
      if (definition === undefined) throw new ReferenceError(`${where}: no definition for ${node.typeName.name}`)
      return { is: 'ref', definition }
    }
    default:
      throw new TypeError(`${where}: unexpected ${node.type}`)
  }
}
