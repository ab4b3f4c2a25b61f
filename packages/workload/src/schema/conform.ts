import { ApiError, type Schema, type UnstructuredObject } from '@continuo/core'
import { formatQuantity, isQuantity, quantityPattern } from '@continuo/lib-quantity'

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const lineBreaks = /[\r\n]/g

/** What is wrong with the form of a value, in the words of Kubernetes' decoder. */
class FormFault {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/**
 * Gives an object the form that its kind's Go type would: wrong types are refused, quantities become canonical (`0.5` → `500m`),
 * and an empty text where only certain words are allowed counts as absent. Changes the object in place.
 * Defaulting and validation may then rely on the types. Throws 400 `BadRequest`.
 */
export function conform(object: UnstructuredObject, schema: Schema): void {
  try {
    conformValue(object, schema, '', schema)
  } catch (fault) {
    if (!(fault instanceof FormFault)) throw fault
    const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1)
    throw new ApiError(
      'BadRequest',
      `${object.kind} in version ${JSON.stringify(version)} cannot be handled as a ${object.kind}: ${fault.message}`,
    )
  }
}

function conformValue(value: unknown, schema: Schema, path: string, owner: Schema): unknown {
  if (value === undefined || value === null) return value
  if (schema.definition === quantity) {
    if (!isQuantity(value)) throw new FormFault(`quantities must match the regular expression '${quantityPattern}'`)
    return formatQuantity(value)
  }
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value !== 'string' && !Number.isInteger(value)) refuse(value, path, owner, 'intstr.IntOrString')
    return value
  }
  switch (schema.type) {
    case 'object':
      return conformObject(value, schema, path, owner)
    case 'array':
      if (!Array.isArray(value)) return refuse(value, path, owner, `[]${goType(schema.items)}`)
      for (let i = 0; i < value.length; i++) if (schema.items !== undefined) value[i] = conformValue(value[i], schema.items, path, owner)
      return value
    case 'string':
      if (typeof value !== 'string') refuse(value, path, owner, goType(schema))
      else if (schema.format === 'byte' && !base64.test(value.replace(lineBreaks, ''))) throw new FormFault('illegal base64 data')
      return value
    case 'integer':
      return Number.isInteger(value) ? value : refuse(value, path, owner, goType(schema))
    case 'number':
    case 'boolean':
      return typeof value === schema.type ? value : refuse(value, path, owner, goType(schema))
    default:
      return value
  }
}

function conformObject(value: unknown, schema: Schema, path: string, owner: Schema): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(value, path, owner, goType(schema))
  const record = value as Record<string, unknown>
  const own = schema.definition === undefined ? owner : schema
  for (const key of Object.keys(record)) {
    const child = childSchema(schema, key)
    if (child === undefined) continue
    if (record[key] === '' && child.enum !== undefined && !child.enum.includes('')) delete record[key]
    else if (typeof record[key] === 'object' || child.type !== 'string' || typeof record[key] !== 'string' || child.format !== undefined)
      record[key] = conformValue(record[key], child, path === '' ? key : `${path}.${key}`, own)
  }
  return value
}

function childSchema(schema: Schema, key: string): Schema | undefined {
  if (schema.properties !== undefined) return Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

/** How Go names the type: it stands in the message. */
function goType(schema: Schema | undefined): string {
  if (schema === undefined) return 'interface {}'
  if (schema.definition !== undefined) return schema.definition.split('.').slice(-2).join('.')
  if (schema.type === 'integer') return schema.format ?? 'int64'
  if (schema.type === 'number') return 'float64'
  if (schema.type === 'boolean') return 'bool'
  if (schema.type === 'object')
    return `map[string]${goType(typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)}`
  return schema.type === 'array' ? `[]${goType(schema.items)}` : 'string'
}

function refuse(value: unknown, path: string, owner: Schema, wanted: string): never {
  const found = Array.isArray(value)
    ? 'array'
    : typeof value === 'number' && wanted.startsWith('int')
      ? `number ${value}`
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value
  const struct = owner.definition?.slice(owner.definition.lastIndexOf('.') + 1) ?? ''
  throw new FormFault(`json: cannot unmarshal ${found} into Go struct field ${struct}.${path} of type ${wanted}`)
}
