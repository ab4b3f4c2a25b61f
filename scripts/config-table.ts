import { z } from 'zod'

interface Schema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
}

interface Row {
  readonly key: string
  readonly type: string
  readonly fallback: string
  readonly description: string
}

/** A plugin's configuration as a Markdown table: key, type, default, description. A sentence for one that takes none. */
export function configTable(plugin: unknown, name: string): string {
  if (typeof plugin !== 'object' || plugin === null) throw new TypeError(`${name} is no plugin`)
  const { config } = plugin as { readonly config?: unknown }
  if (config === undefined) return 'No configuration.'
  const rows = rowsOf(z.toJSONSchema(config as z.ZodType, { io: 'input', unrepresentable: 'any' }) as Schema, '')
  const silent = rows.filter((row) => row.description === '').map((row) => row.key)
  if (silent.length > 0) throw new TypeError(`${name}: ${silent.join(', ')} have no description: use .describe()`)
  return [
    '| key | type | default | meaning |',
    '|---|---|---|---|',
    ...rows.map((row) => `| \`${row.key}\` | ${row.type} | ${row.fallback} | ${row.description} |`),
  ].join('\n')
}

/** The text with each table between its markers replaced. */
export const replaceTables = (text: string, table: (plugin: string) => string): string =>
  text.replace(
    /<!-- config: (\w+) -->\n[\s\S]*?<!-- \/config -->/g,
    (_, plugin: string) => `<!-- config: ${plugin} -->\n${table(plugin)}\n<!-- /config -->`,
  )

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (value: unknown): string => `\`${cell(JSON.stringify(value))}\``

function rowsOf(schema: Schema, prefix: string): readonly Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]): readonly Row[] => {
    const key = `${prefix}${name}`
    const inner = property.properties === undefined ? [] : rowsOf(property, `${key}.`)
    const element = typeof property.additionalProperties === 'object' ? property.additionalProperties : undefined
    const ofElement = element?.properties === undefined ? [] : rowsOf(element, `${key}.<name>.`)
    const own: Row = {
      key,
      type: cell(typeOf(property)),
      fallback: fallbackOf(property, schema.required?.includes(name) === true),
      description: cell(property.description ?? ''),
    }
    // A group of keys that says nothing of itself is told by its keys.
    return inner.length > 0 && own.description === '' ? inner : [own, ...inner, ...ofElement]
  })
}

const fallbackOf = (schema: Schema, required: boolean): string =>
  schema.default !== undefined ? code(schema.default) : required ? 'required' : ''

function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map(code).join(' or ')
  if (schema.const !== undefined) return code(schema.const)
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'anything' : typeOf(schema.items)}`
  if (schema.type === 'object') {
    return typeof schema.additionalProperties === 'object' && schema.properties === undefined
      ? `map of ${typeOf(schema.additionalProperties)}`
      : 'map'
  }
  return `${schema.type ?? 'anything'}${rangeOf(schema)}`
}

/** Bounds that a person chose: those of safe integers say nothing. */
function rangeOf({ minimum, maximum, exclusiveMinimum }: Schema): string {
  const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
  if (low !== undefined && high !== undefined) return ` ${low} to ${high}`
  if (low !== undefined) return ` ≥ ${low}`
  if (exclusiveMinimum !== undefined && exclusiveMinimum > Number.MIN_SAFE_INTEGER) return ` > ${exclusiveMinimum}`
  return high === undefined ? '' : ` ≤ ${high}`
}
