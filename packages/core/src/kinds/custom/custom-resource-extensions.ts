import { capability } from '../../capability/capability.ts'
import type { FieldError } from '../../errors/field-error.ts'
import type { DeepReadonly, UnstructuredObject } from '../../objects/object.ts'
import type { Schema } from '../../schema/schema.ts'
import type { CustomResourceDefinition } from './custom-resource-definition.ts'

/** The rules of one schema, ready to run. Synchronous, pure, and bounded in time whatever the object. */
export interface SchemaRuleSet {
  /** What the rules say against an object that its schema allows. `old` is what an update replaces: rules of transitions compare with it. */
  validate(next: DeepReadonly<UnstructuredObject>, old: DeepReadonly<UnstructuredObject> | undefined): readonly FieldError[]
}

/**
 * The language of `x-kubernetes-validations`. Core keeps and publishes the rules of a definition's schemas; whoever provides this checks and runs them.
 * Without a provider rules are not enforced, and who writes a definition with some is warned.
 */
export interface SchemaRules {
  /** What is wrong with the rules of a structural schema that stands at `at`. Called when a definition's schema is new or changed. */
  check(schema: Schema, at: string): readonly FieldError[]
  /** Called once for each schema that is served. Undefined when the schema has no rule: then nothing runs when objects are written. */
  compile(schema: Schema): SchemaRuleSet | undefined
}

export const SchemaRulesCap = capability<SchemaRules>('schema-rules/v1')

export type ConversionSettings = DeepReadonly<NonNullable<CustomResourceDefinition['spec']['conversion']>>

/** Converts objects between the versions of a custom resource. Its key is the strategy that definitions name: `Webhook`. */
export interface CustomConversion {
  /** What is wrong with the settings, whose path is `at`. Called for every write of a definition. */
  check(settings: ConversionSettings, at: string): readonly FieldError[]
  /**
   * The objects in the other version, in order. Throws an `ApiError` that says why they cannot be converted: readers and writers see it.
   * Must not change its input.
   */
  convert(
    settings: ConversionSettings,
    objects: readonly UnstructuredObject[],
    apiVersion: string,
    signal?: AbortSignal,
  ): Promise<UnstructuredObject[]>
}

export const CustomConversionCap = capability<CustomConversion, 'many'>('custom-conversion/v1', { cardinality: 'many' })

/** What plugins add to custom resources. */
export interface CustomResourceExtensions {
  readonly rules?: SchemaRules | undefined
  /** By strategy; asked at each use, because providers come and go. */
  readonly conversions?: { get(strategy: string): CustomConversion | undefined }
}
