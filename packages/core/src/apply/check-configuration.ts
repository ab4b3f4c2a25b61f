import { ApiError } from '../errors/api-error.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Schema } from '../schema/schema.ts'
import { keepsUnknown } from '../schema/schema-shape.ts'
import { fieldSchema, fieldShape, listElement } from './field-shape.ts'
import { fieldElement, showFieldPath } from './path-element.ts'

const maxFaults = 20

/** Walks a configuration as far as ownership looks into it and collects what has no identity there. */
function collect(schema: Schema | undefined, value: unknown, path: string[], faults: string[]): void {
  if (faults.length >= maxFaults || schema === undefined) return
  const shape = fieldShape(schema, value)
  if (shape === 'map')
    for (const [key, item] of Object.entries(value as object)) {
      const child = fieldSchema(schema, key, path.length === 0)
      path.push(fieldElement(key))
      if (child === undefined && item !== undefined && !keepsUnknown(schema) && schema.properties !== undefined)
        faults.push(`${showFieldPath(path)}: field not declared in schema`)
      else collect(child, item, path, faults)
      path.pop()
    }
  else if (shape === 'list') {
    const seen = new Set<string>()
    for (const [i, item] of (value as unknown[]).entries()) {
      const element = listElement(schema, item, i)
      if (element.startsWith('i:')) {
        const key = schema['x-kubernetes-list-map-keys']?.[0] ?? ''
        faults.push(
          `${showFieldPath(path)}: element ${i}: associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`,
        )
      } else if (seen.has(element)) faults.push(`${showFieldPath(path)}: duplicate entries for key ${showFieldPath([element])}`)
      seen.add(element)
      path.push(element)
      collect(schema.items, item, path, faults)
      path.pop()
    }
  }
}

/**
 * Throws BadRequest for a configuration that cannot be applied: it carries managedFields, is of another version,
 * names fields that the schema does not have, or repeats list elements.
 */
export function checkConfiguration(schema: Schema | undefined, config: Readonly<KubeObject>, apiVersion: string): void {
  if (config.metadata?.managedFields !== undefined && config.metadata.managedFields.length > 0)
    throw new ApiError('BadRequest', 'metadata.managedFields must be nil')
  if (config.apiVersion !== apiVersion)
    throw new ApiError(
      'BadRequest',
      `Incorrect version specified in apply patch. Specified patch version: ${config.apiVersion}, expected: ${apiVersion}`,
    )
  const faults: string[] = []
  collect(schema, config, [], faults)
  if (faults.length === 0) return
  const { namespace, name } = config.metadata
  const key = namespace === undefined || namespace === '' ? `/${name}` : `${namespace}/${name}`
  throw new ApiError(
    'BadRequest',
    `failed to create typed patch object (${key}; ${config.apiVersion}, Kind=${config.kind}): ${faults.length === 1 ? faults[0] : `errors:\n${faults.map((fault) => `  ${fault}`).join('\n')}`}`,
  )
}
