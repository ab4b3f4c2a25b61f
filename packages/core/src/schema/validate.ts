import { type FieldError, fieldError } from '../errors/field-error.ts'
import { embeddedResourceFaults } from './embedded-resource.ts'
import { canonicalJson, formatFieldPath, isRecord, jsonEqual } from './json-value.ts'
import { objectMetaSchema } from './object-meta-schema.ts'
import { patternOf } from './pattern.ts'
import type { Schema } from './schema.ts'
import { isIntOrString, isQuantity, propertySchema, refusesNull } from './schema-shape.ts'
import { hasStringFormat } from './string-formats.ts'

/** How strict and how talkative {@link validate} is. */
export interface ValidateOptions {
  /**
   * Whether duplicates in lists of type set and map are errors. True (the default) is right for custom resources;
   * built-in kinds tolerate some of them and check the others by rules of their own.
   */
  readonly listTypes?: boolean
  /** Errors reported at most. Default 100. */
  readonly maxErrors?: number
  /** What an update replaces: parts that it leaves as they are have no errors, as when a schema became stricter since they were written. */
  readonly old?: unknown
}

const maxDepth = 1000
const maxSteps = 5_000_000
const maxShown = 64 * 1024

type JsonType = 'string' | 'boolean' | 'integer' | 'number' | 'array' | 'object' | 'null'

function typeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value as JsonType
}

/** Unicode code points, which is how lengths are counted. */
function codePoints(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      count--
      i++
    }
  }
  return count
}

const ownValue = (item: Record<string, unknown>, key: string): unknown => (Object.hasOwn(item, key) ? item[key] : undefined)

const identityOf = (item: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(keys.filter((key) => ownValue(item, key) != null).map((key) => [key, item[key]]))

/** Finds the old item that is the same entry of an associative list; items of other lists correspond to nothing. */
export function correlatedItems(schema: Schema, old: unknown): ((item: unknown) => unknown) | undefined {
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const identity = (item: unknown): string | undefined =>
    isRecord(item) ? keys.map((key) => canonicalJson(ownValue(item, key))).join() : undefined
  const byIdentity = new Map<string | undefined, unknown>(old.map((item) => [identity(item), item]))
  return (item) => {
    const id = identity(item)
    return id === undefined ? undefined : byIdentity.get(id)
  }
}

interface Budget {
  steps: number
  shown: number
}

/** One walk over a value. Follows the value; depth, steps, errors and the text shown in errors are all bounded. */
class Validation {
  readonly errors: FieldError[] = []
  readonly #base: string
  readonly #path: (string | number)[]
  readonly #budget: Budget
  readonly #maxErrors: number
  readonly #listTypes: boolean
  /** What stands in the old object where the walk is; undefined where nothing corresponds. */
  #old: unknown

  constructor(base: string, path: (string | number)[], budget: Budget, maxErrors: number, listTypes: boolean, old?: unknown) {
    this.#base = base
    this.#path = path
    this.#budget = budget
    this.#maxErrors = maxErrors
    this.#listTypes = listTypes
    this.#old = old
  }

  get #full(): boolean {
    return this.errors.length >= this.#maxErrors
  }

  #at(step?: string | number): string {
    return formatFieldPath(step === undefined ? this.#path : [...this.#path, step], this.#base)
  }

  #add(error: FieldError): void {
    if (!this.#full) this.errors.push(error)
  }

  /** The value as errors show it: clipped, and nothing at all once the answer has become long. */
  #shown(value: unknown): unknown {
    if (this.#budget.shown >= maxShown) return '…'
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null')
    this.#budget.shown += text.length
    return text.length <= 1024 ? value : `${text.slice(0, 1024)}…`
  }

  #invalid(value: unknown, detail: string): void {
    if (this.#full) return
    const at = this.#at()
    this.#add(fieldError.invalid(at, this.#shown(value), `${at} in body ${detail}`))
  }

  value(schema: Schema, value: unknown): void {
    if (this.#full || this.#budget.steps === Number.POSITIVE_INFINITY) return
    if (++this.#budget.steps > maxSteps || this.#path.length > maxDepth) {
      this.errors.push(fieldError.invalid(this.#at(), '…', 'is too large or too deep to be validated'))
      this.#budget.steps = Number.POSITIVE_INFINITY
      return
    }
    if (this.#old !== undefined && jsonEqual(value, this.#old)) return
    const type = typeOf(value)
    if (type === 'null') {
      if (refusesNull(schema)) this.#wrongType(schema, type)
      return
    }
    if (!this.#typeFits(schema, type)) {
      this.#wrongType(schema, type)
      return
    }
    if (schema.enum !== undefined && !schema.enum.some((allowed) => jsonEqual(allowed, value)))
      this.#add(
        fieldError.notSupported(
          this.#at(),
          this.#shown(value),
          schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))),
        ),
      )
    if (type === 'string') this.#string(schema, value as string)
    else if (type === 'integer' || type === 'number') this.#number(schema, value as number)
    else if (type === 'array') this.#array(schema, value as unknown[])
    else if (type === 'object') this.#object(schema, value as Record<string, unknown>)
    if (!isQuantity(schema)) this.#combined(schema, value)
  }

  #typeFits(schema: Schema, type: JsonType): boolean {
    if (isIntOrString(schema)) return type === 'integer' || type === 'string'
    if (isQuantity(schema)) return type === 'integer' || type === 'number' || type === 'string'
    return schema.type === undefined || schema.type === type || (schema.type === 'number' && type === 'integer')
  }

  #wrongType(schema: Schema, type: JsonType): void {
    const wanted = isIntOrString(schema) ? 'integer,string' : (schema.type ?? 'string')
    const at = this.#at()
    this.#add(fieldError.typeInvalid(at, type, `${at} in body must be of type ${wanted}: "${type}"`))
  }

  #string(schema: Schema, value: string): void {
    const { minLength, maxLength, pattern, format } = schema
    if (maxLength !== undefined && value.length > maxLength && codePoints(value) > maxLength)
      this.#add(fieldError.tooLong(this.#at(), maxLength))
    if (minLength !== undefined && codePoints(value) < minLength) this.#invalid(value, `should be at least ${minLength} chars long`)
    if (pattern !== undefined) {
      const compiled = patternOf(pattern)
      if ('fault' in compiled) this.#invalid(value, `cannot be checked: ${compiled.fault}`)
      else if (!compiled.test(value)) this.#invalid(value, `should match '${pattern}'`)
    }
    if (format !== undefined && !isIntOrString(schema) && !hasStringFormat(format, value)) {
      const at = this.#at()
      const shown = this.#shown(value)
      this.#add(fieldError.typeInvalid(at, shown, `${at} in body must be of type ${format}: ${JSON.stringify(shown)}`))
    }
  }

  #number(schema: Schema, value: number): void {
    const { minimum, maximum, multipleOf, format } = schema
    if (format === 'int32' && (!Number.isInteger(value) || value > 2147483647 || value < -2147483648))
      this.#invalid(value, `must be of type int32: ${value}`)
    if (format === 'int64' && !Number.isSafeInteger(value)) this.#invalid(value, `must be of type int64: ${value}`)
    if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum))
      this.#invalid(value, `should be less than ${schema.exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`)
    if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum))
      this.#invalid(value, `should be greater than ${schema.exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`)
    if (multipleOf !== undefined && multipleOf > 0) {
      const quotient = value / multipleOf
      if (Math.abs(quotient - Math.round(quotient)) > 1e-9 * Math.max(1, Math.abs(quotient)))
        this.#invalid(value, `should be a multiple of ${multipleOf}`)
    }
  }

  #array(schema: Schema, value: readonly unknown[]): void {
    const { minItems, maxItems, items } = schema
    if (maxItems !== undefined && value.length > maxItems) this.#add(fieldError.tooMany(this.#at(), value.length, maxItems))
    if (minItems !== undefined && value.length < minItems) this.#invalid(value, `should have at least ${minItems} items`)
    if (schema.uniqueItems === true && new Set(value.map(canonicalJson)).size < value.length)
      this.#invalid(value, "shouldn't contain duplicates")
    if (this.#listTypes) this.#duplicates(schema, value)
    if (items === undefined) return
    const old = correlatedItems(schema, this.#old)
    for (let i = 0; i < value.length && !this.#full; i++) this.#child(i, items, value[i], old?.(value[i]))
  }

  #duplicates(schema: Schema, value: readonly unknown[]): void {
    const listType = schema['x-kubernetes-list-type']
    if (listType !== 'set' && listType !== 'map') return
    const keys = schema['x-kubernetes-list-map-keys'] ?? []
    const seen = new Set<string>()
    for (let i = 0; i < value.length; i++) {
      const item = value[i]
      if (listType === 'map' && !isRecord(item)) continue
      const text =
        listType === 'map' ? keys.map((key) => canonicalJson(ownValue(item as Record<string, unknown>, key))).join() : canonicalJson(item)
      if (seen.has(text))
        this.#add(
          fieldError.duplicate(this.#at(i), this.#shown(listType === 'map' ? identityOf(item as Record<string, unknown>, keys) : item)),
        )
      seen.add(text)
    }
  }

  #embedded(value: Record<string, unknown>): void {
    const at = this.#at()
    const { metadata } = value
    const errors = isRecord(metadata) ? validate(objectMetaSchema, metadata, `${at}.metadata`) : []
    for (const error of [...embeddedResourceFaults(value, at), ...errors]) this.#add(error)
  }

  #object(schema: Schema, value: Record<string, unknown>): void {
    const { minProperties, maxProperties, required } = schema
    if (schema['x-kubernetes-embedded-resource'] === true) this.#embedded(value)
    const keys = Object.keys(value).filter((key) => value[key] !== undefined)
    if (maxProperties !== undefined && keys.length > maxProperties) this.#add(fieldError.tooMany(this.#at(), keys.length, maxProperties))
    if (minProperties !== undefined && keys.length < minProperties) this.#invalid(value, `should have at least ${minProperties} properties`)
    if (required !== undefined)
      for (const key of required) if (!Object.hasOwn(value, key) || value[key] === undefined) this.#add(fieldError.required(this.#at(key)))
    for (const key of keys) {
      if (this.#full) return
      const child = propertySchema(schema, key)
      if (child !== undefined) this.#child(key, child, value[key], isRecord(this.#old) ? ownValue(this.#old, key) : undefined)
      else if (schema.additionalProperties === false) {
        const at = this.#at(key)
        this.#add(fieldError.invalid(this.#at(), this.#shown(value), `${at} in body is a forbidden property`))
      }
    }
  }

  #child(step: string | number, schema: Schema, value: unknown, old: unknown): void {
    const before = this.#old
    this.#old = old
    this.#path.push(step)
    this.value(schema, value)
    this.#path.pop()
    this.#old = before
  }

  /** The faults of the value under one alternative, without reporting them. */
  #try(schema: Schema, value: unknown): readonly FieldError[] {
    const attempt = new Validation(this.#base, this.#path, this.#budget, this.#maxErrors, false)
    attempt.value(schema, value)
    return attempt.errors
  }

  #combined(schema: Schema, value: unknown): void {
    const { allOf, anyOf, oneOf, not } = schema
    const say = (sentence: string, causes: readonly FieldError[] = []): void => {
      const at = this.#at()
      this.#add(fieldError.invalid(at, this.#shown(value), `${JSON.stringify(at)} ${sentence}`))
      for (const cause of causes) this.#add(cause)
    }
    if (allOf !== undefined) {
      const faults = allOf.flatMap((part) => this.#try(part, value))
      if (faults.length > 0) say('must validate all the schemas (allOf)', faults)
    }
    if (anyOf !== undefined && anyOf.length > 0) {
      const best = this.#best(anyOf, value)
      if (best.length > 0) say('must validate at least one schema (anyOf)', best)
    }
    if (oneOf !== undefined && oneOf.length > 0) {
      const attempts = oneOf.map((part) => this.#try(part, value))
      const valid = attempts.filter((faults) => faults.length === 0).length
      if (valid === 0) say('must validate one and only one schema (oneOf). Found none valid', shortest(attempts))
      else if (valid > 1) say(`must validate one and only one schema (oneOf). Found ${valid} valid alternatives`)
    }
    if (not !== undefined && this.#try(not, value).length === 0) say('must not validate the schema (not)')
  }

  #best(parts: readonly Schema[], value: unknown): readonly FieldError[] {
    const attempts: (readonly FieldError[])[] = []
    for (const part of parts) {
      const faults = this.#try(part, value)
      if (faults.length === 0) return faults
      attempts.push(faults)
    }
    return shortest(attempts)
  }
}

const shortest = (attempts: readonly (readonly FieldError[])[]): readonly FieldError[] =>
  attempts.reduce((best, faults) => (faults.length < best.length ? faults : best))

/**
 * Checks a value against a schema and returns its faults in the words of Kubernetes, at most `maxErrors`.
 * Unknown fields are no faults ({@link findUnknownFields} finds them); CEL rules are not evaluated here.
 * Lengths count code points; patterns are RE2, so that a hostile one cannot stall the process.
 */
export function validate(schema: Schema, value: unknown, fieldPath = '', options: ValidateOptions = {}): FieldError[] {
  const validation = new Validation(fieldPath, [], { steps: 0, shown: 0 }, options.maxErrors ?? 100, options.listTypes ?? true, options.old)
  validation.value(schema, value)
  return validation.errors
}
