import { isContinuoError } from '../../errors/continuo-error.ts'
import { type FieldError, fieldError } from '../../errors/field-error.ts'
import type { DeepReadonly } from '../../objects/object.ts'
import { checkStructural } from '../../schema/check-structural.ts'
import type { Schema } from '../../schema/schema.ts'
import type { CustomResourceVersion } from './custom-resource-definition.ts'
import { parseJsonPath } from './json-path.ts'

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const maxSelectableFields = 8

/** With a status subresource the root may say no more than this: what else it said would bind spec and status to each other. */
const besideStatus = new Set(
  'description type format title maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems multipleOf required items properties externalDocs example x-kubernetes-preserve-unknown-fields x-kubernetes-validations'.split(
    ' ',
  ),
)

/** What is wrong with one version of a definition, whose path is `at`. */
export function validateVersion(version: DeepReadonly<CustomResourceVersion>, at: string, errors: FieldError[]): void {
  const schema = version.schema?.openAPIV3Schema as Schema | undefined
  if (schema === undefined) errors.push(fieldError.required(`${at}.schema.openAPIV3Schema`, 'schemas are required'))
  else errors.push(...checkStructural(schema, `${at}.schema.openAPIV3Schema`))
  if (version.deprecationWarning !== undefined && version.deprecated !== true) {
    errors.push(fieldError.invalid(`${at}.deprecationWarning`, version.deprecationWarning, 'can only be set for deprecated versions'))
  }
  const scale = version.subresources?.scale
  if (scale !== undefined) {
    checkPath(scale.specReplicasPath, `${at}.subresources.scale.specReplicasPath`, '.spec.', errors)
    checkPath(scale.statusReplicasPath, `${at}.subresources.scale.statusReplicasPath`, '.status.', errors)
    if (scale.labelSelectorPath)
      checkPath(scale.labelSelectorPath, `${at}.subresources.scale.labelSelectorPath`, /^\.(spec|status)\./, errors)
  }
  version.additionalPrinterColumns?.forEach((column, index) => {
    const path = `${at}.additionalPrinterColumns[${index}]`
    if (column.name === '') errors.push(fieldError.required(`${path}.name`))
    if (!columnTypes.includes(column.type))
      errors.push(fieldError.invalid(`${path}.type`, column.type, `must be one of ${columnTypes.join(',')}`))
    if (column.format !== undefined && column.format !== '' && !columnFormats.includes(column.format))
      errors.push(fieldError.invalid(`${path}.format`, column.format, `must be one of ${columnFormats.join(',')}`))
    checkPath(column.jsonPath, `${path}.jsonPath`, '.', errors)
  })
  if (version.subresources?.status !== undefined && schema !== undefined) checkStatusRoot(schema, `${at}.schema.openAPIV3Schema`, errors)
  validateSelectableFields(version, at, errors)
}

/** A path that compiles and begins as it must; `simple` ones are names alone. */
function checkPath(path: string, at: string, beginning: string | RegExp, errors: FieldError[], simple = beginning !== '.'): void {
  if (path === '') return void errors.push(fieldError.required(at))
  try {
    const compiled = parseJsonPath(path)
    const begins = typeof beginning === 'string' ? path.startsWith(beginning) : beginning.test(path)
    if (!begins)
      errors.push(
        fieldError.invalid(
          at,
          path,
          typeof beginning === 'string'
            ? `should be a json path under ${beginning.slice(0, -1) || 'the object'}`
            : 'should be a json path under either .spec or .status',
        ),
      )
    else if (simple && compiled.fields === undefined)
      errors.push(fieldError.invalid(at, path, 'must be a simple json path without array access'))
  } catch (error) {
    errors.push(fieldError.invalid(at, path, isContinuoError(error) ? error.message : String(error)))
  }
}

function checkStatusRoot(schema: Schema, at: string, errors: FieldError[]): void {
  const other = Object.entries(schema).find(([word, value]) => value !== undefined && !besideStatus.has(word))
  if (other !== undefined)
    errors.push(
      fieldError.invalid(
        at,
        other[0],
        `only ${[...besideStatus].join(', ')} fields are allowed at the root of the schema if the status subresource is enabled`,
      ),
    )
}

/** Field selectors compare single values: of strings, booleans and integers that the schema has. */
function validateSelectableFields(version: DeepReadonly<CustomResourceVersion>, at: string, errors: FieldError[]): void {
  const fields = version.selectableFields ?? []
  if (fields.length > maxSelectableFields) errors.push(fieldError.tooMany(`${at}.selectableFields`, fields.length, maxSelectableFields))
  const seen = new Set<string>()
  fields.forEach(({ jsonPath }, index) => {
    const path = `${at}.selectableFields[${index}].jsonPath`
    const before = errors.length
    checkPath(jsonPath, path, '.', errors, true)
    if (errors.length > before) return
    if (seen.has(jsonPath)) errors.push(fieldError.duplicate(path, jsonPath))
    seen.add(jsonPath)
    const names = parseJsonPath(jsonPath).fields ?? []
    if (names[0] === 'metadata') errors.push(fieldError.invalid(path, jsonPath, 'must not point to fields in metadata'))
    else {
      const found = names.reduce<Schema | undefined>(
        (schema, name) =>
          schema?.properties !== undefined && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined,
        version.schema?.openAPIV3Schema as Schema | undefined,
      )
      if (found === undefined) errors.push(fieldError.invalid(path, jsonPath, 'is an invalid path: does not refer to a valid field'))
      else if (found.type !== 'string' && found.type !== 'boolean' && found.type !== 'integer')
        errors.push(
          fieldError.invalid(
            path,
            jsonPath,
            'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
          ),
        )
    }
  })
}
