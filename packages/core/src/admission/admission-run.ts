import type { Caller } from '../client/caller.ts'
import type { ServiceParts } from '../client/service-parts.ts'
import type { Target } from '../client/target.ts'
import type { GroupVersionKind, GroupVersionResource } from '../objects/names.ts'
import type { DeepReadonly, ObjectKey, UnstructuredObject } from '../objects/object.ts'
import type { Kind } from '../resources/resource.ts'
import { AdmissionMutate, type AdmissionReader, type AdmissionRequest, AdmissionValidate, type CompanionWrite } from './admission.ts'
import { CachedAdmissionReader } from './admission-reader.ts'
import { definitionLifecycle } from './definition-lifecycle.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'

export interface AdmissionInput {
  readonly operation: AdmissionRequest['operation']
  readonly target: Target
  readonly name: string
  readonly isNameGenerated?: boolean
  readonly gvk: GroupVersionKind
  readonly object?: UnstructuredObject
  readonly oldObject?: DeepReadonly<UnstructuredObject>
  readonly options: Readonly<Record<string, unknown>>
  readonly dryRun: boolean
  readonly caller: Caller
  readonly warn: (text: string) => void
  readonly body?: DeepReadonly<UnstructuredObject>
}

/** A condition on an object that admission relied upon. */
export interface AdmissionCondition {
  readonly kind: Kind
  readonly key: ObjectKey
  readonly resourceVersion: string
}

/** One attempt of a request to get through admission. Collects what it asks of the commit; a new attempt begins with a new run. */
export class AdmissionRun implements AdmissionRequest {
  readonly operation: AdmissionRequest['operation']
  readonly resource: GroupVersionResource
  readonly kind: GroupVersionKind
  readonly subresource?: string
  readonly namespace: string
  readonly name: string
  readonly isNameGenerated?: boolean
  readonly object?: UnstructuredObject
  readonly oldObject?: DeepReadonly<UnstructuredObject>
  readonly options: Readonly<Record<string, unknown>>
  readonly dryRun: boolean
  readonly caller: Caller
  readonly read: AdmissionReader
  readonly body?: DeepReadonly<UnstructuredObject>
  readonly conditions: AdmissionCondition[] = []
  readonly companions: CompanionWrite[] = []
  readonly #parts: ServiceParts
  readonly #definedBy: string | undefined
  readonly #warn: (text: string) => void
  #isReinvocation = false
  #again = false

  constructor(parts: ServiceParts, input: AdmissionInput) {
    this.#parts = parts
    this.#definedBy = input.target.served.definition.definedBy
    this.#warn = input.warn
    this.operation = input.operation
    this.resource = input.target.served.gvr
    this.kind = input.gvk
    if (input.target.subresource !== undefined) this.subresource = input.target.subresource.name
    this.namespace = input.target.namespace
    this.name = input.name
    if (input.isNameGenerated === true) this.isNameGenerated = true
    if (input.object !== undefined) this.object = input.object
    if (input.oldObject !== undefined) this.oldObject = input.oldObject
    if (input.body !== undefined) this.body = input.body
    this.options = input.options
    this.dryRun = input.dryRun
    this.caller = input.caller
    this.read = new CachedAdmissionReader(parts)
  }

  warn(text: string): void {
    this.#warn(text)
  }

  get isReinvocation(): boolean {
    return this.#isReinvocation
  }

  annotate(key: string, value: string): void {
    this.caller.annotate?.(key, value)
  }

  reinvoke(): void {
    this.#again = true
  }

  condition(kind: Kind, key: ObjectKey, resourceVersion: string): void {
    this.conditions.push({ kind, key, resourceVersion })
  }

  companion(write: CompanionWrite): void {
    this.companions.push(write)
  }

  /** The lifecycle of namespaces and definitions first, then the mutating taps; all of it once more when a tap asked for that. */
  async mutate(): Promise<void> {
    await this.#mutateOnce()
    if (!this.#again) return
    this.#isReinvocation = true
    this.conditions.length = 0
    this.companions.length = 0
    await this.#mutateOnce()
  }

  async #mutateOnce(): Promise<void> {
    namespaceLifecycle(this)
    definitionLifecycle(this, this.#definedBy)
    await this.#call(AdmissionMutate)
  }

  async validate(): Promise<void> {
    await this.#call(AdmissionValidate)
  }

  /** True when the object may have been changed by {@link mutate}. */
  get mutable(): boolean {
    return !this.#parts.hooks.isIdle(AdmissionMutate)
  }

  async #call(hook: typeof AdmissionMutate): Promise<void> {
    if (!this.#parts.hooks.isIdle(hook)) await this.#parts.hooks.call(hook, this)
  }
}
