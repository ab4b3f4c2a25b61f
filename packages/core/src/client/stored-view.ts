import { ApiError } from '../errors/api-error.ts'
import type { DeepReadonly, UnstructuredObject } from '../objects/object.ts'
import { parseObjectKey } from '../resources/storage-key.ts'
import { isPlainValue, isSealedOtherwise, openValue, plainPayloadAt } from '../resources/value-envelope.ts'
import type { ValueTransform } from '../resources/value-transform.ts'
import { applyDefaults } from '../schema/apply-defaults.ts'
import { cloneJson } from '../schema/json-value.ts'
import { prune } from '../schema/prune.ts'
import type { Derived, HotSet } from './hot-set.ts'
import type { ObjectView } from './object-service.ts'
import type { VersionScale } from './resource-version.ts'
import { storedLabels } from './stored-json.ts'
import type { ViewForm } from './view-form.ts'

/** Stored bytes from wherever they come: the cache, the store, or a write that was just committed. */
export interface ViewSource {
  readonly key: string
  readonly value: Uint8Array
  readonly modRevision: number
  attached?: unknown
}

/** What all views of a service share. */
export interface ViewContext {
  readonly scale: VersionScale
  readonly transform: ValueTransform | undefined
  readonly hot: HotSet
}

/** Decoded JSON takes about this many times its text in memory. */
const decodedFactor = 3

const noLabels: Readonly<Record<string, string>> = {}

/** What readers of one form derived from a source. */
interface Memo {
  object?: UnstructuredObject
  json?: Uint8Array
  encodings?: Map<string, Uint8Array>
}

/** Everything that was derived from one source, in its `attached` slot. */
class Attachment implements Derived {
  /** By form and not by version: a custom resource's schema and columns change while its objects stay. */
  readonly memos = new Map<ViewForm, Memo>()
  /** Of the same bytes as the last state before a later change; an object has only one such change. */
  readonly lastMemos = new Map<ViewForm, Memo>()
  readonly #source: ViewSource

  constructor(source: ViewSource) {
    this.#source = source
  }

  drop(): void {
    if (this.#source.attached === this) this.#source.attached = undefined
  }
}

/**
 * One version of one object over its stored bytes. Plain reads splice the resource version into the bytes and decode nothing.
 * What it derives is shared with every other view of the same source, within the budget of the {@link HotSet}.
 */
export class StoredView implements ObjectView {
  readonly form: ViewForm
  readonly source: ViewSource
  readonly #context: ViewContext
  readonly #revision: number
  #memo: Memo | undefined
  /** Known to be what the bytes hold; others get it once somebody asks for the object. */
  #adopted: UnstructuredObject | undefined
  #labels: Readonly<Record<string, string>> | undefined

  constructor(context: ViewContext, form: ViewForm, source: ViewSource, revision: number = source.modRevision) {
    this.#context = context
    this.form = form
    this.source = source
    this.#revision = revision
  }

  get namespace(): string {
    return parseObjectKey(this.form.served.definition, this.source.key).namespace
  }

  get name(): string {
    return parseObjectKey(this.form.served.definition, this.source.key).name
  }

  get uid(): string {
    return this.peek().metadata.uid ?? ''
  }

  get resourceVersion(): string {
    return this.#context.scale.format(this.#revision)
  }

  get object(): DeepReadonly<UnstructuredObject> {
    const memo = this.#shared()
    if (memo.object === undefined) {
      memo.object = this.#memo?.object ?? this.#adopted ?? this.#decode()
      this.#grown(this.source.value.length * decodedFactor)
    }
    this.#memo = memo
    return memo.object
  }

  /** The object, decoded for this view alone when nobody has decoded it yet: for scans that look at each object once. */
  peek(): DeepReadonly<UnstructuredObject> {
    this.#memo ??= this.#existing() ?? {}
    this.#memo.object ??= this.#adopted ?? this.#decode()
    return this.#memo.object
  }

  /** The labels, read alone where nothing was decoded yet. */
  get labels(): Readonly<Record<string, string>> | undefined {
    const known = this.#memo?.object ?? this.#existing()?.object
    if (known !== undefined) return known.metadata.labels
    if (this.#labels === undefined) {
      const payload = this.#payload()
      this.#labels = startsWith(payload, this.form.prefix)
        ? (storedLabels(payload, this.form.prefix.length) ?? noLabels)
        : (this.peek().metadata.labels ?? noLabels)
    }
    return this.#labels
  }

  /** A copy that belongs to the caller. */
  copy(): UnstructuredObject {
    const known = this.#memo?.object ?? this.#existing()?.object
    return known === undefined ? this.#decode() : cloneJson(known)
  }

  get json(): Uint8Array {
    // To put the version into plain bytes costs less than to remember them.
    const spliced = isPlainValue(this.source.value) ? this.#splice() : undefined
    if (spliced !== undefined) return spliced
    const memo = this.#shared()
    if (memo.json === undefined) {
      memo.json = this.#splice() ?? Buffer.from(JSON.stringify(this.object))
      this.#grown(memo.json.length)
    }
    return memo.json
  }

  /** As a splice, but straight to where the bytes are sent from: lists of thousands of objects make no buffers of their own. */
  writeJson(target: Buffer, at: number): number {
    const { value } = this.source
    const { prefix, plain } = this.form
    const start = plainPayloadAt + prefix.length
    if (!plain || !isPlainValue(value) || !beginsWith(value, prefix)) return writeBytes(this.json, target, at)
    const version = `"resourceVersion":"${this.resourceVersion}",`
    const end = at + prefix.length + version.length + value.length - start
    if (end > target.length) return -1
    target.set(prefix, at)
    target.write(version, at + prefix.length, 'latin1')
    target.set(value.subarray(start), at + prefix.length + version.length)
    return end
  }

  encoded(form: string, make: (view: ObjectView) => Uint8Array): Uint8Array {
    const memo = this.#memo?.encodings === undefined ? this.#shared() : this.#memo
    this.#memo = memo
    memo.encodings ??= new Map()
    let bytes = memo.encodings.get(form)
    if (bytes === undefined) {
      bytes = make(this)
      memo.encodings.set(form, bytes)
      this.#grown(bytes.length)
    }
    return bytes
  }

  /** True when a write of the same object would still store something else: it lies under an older key. */
  get isSealedOtherwise(): boolean {
    return isSealedOtherwise(this.source.value, this.source.key, this.#context.transform)
  }

  /** The stored JSON as it is, for conversion. */
  stored(): UnstructuredObject {
    return JSON.parse(this.#payload().toString()) as UnstructuredObject
  }

  /** True when the stored version is another one and a function must convert it: {@link prepare} the view first. */
  get needsConversion(): boolean {
    if (this.form.served.definition.convert === undefined) return false
    if (this.#memo?.object !== undefined || this.#existing()?.object !== undefined) return false
    return !startsWith(this.#payload(), this.form.prefix)
  }

  /** Takes an object that is known to be what the bytes hold, so that nobody decodes them. It is shared from now on. */
  adopt(object: UnstructuredObject): void {
    this.#adopted = object
    this.#memo = { object }
  }

  /** Takes the converted object. */
  prepare(converted: UnstructuredObject): void {
    const memo = this.#shared()
    memo.object = this.#finish(converted)
    this.#grown(this.source.value.length * decodedFactor)
    this.#memo = memo
  }

  #payload(): Buffer {
    return openValue(this.source.value, this.source.key, this.#context.transform)
  }

  #splice(): Uint8Array | undefined {
    if (!this.form.plain) return undefined
    const payload = this.#payload()
    const { prefix } = this.form
    if (!startsWith(payload, prefix)) return undefined
    return Buffer.concat([prefix, Buffer.from(`"resourceVersion":"${this.resourceVersion}",`), payload.subarray(prefix.length)])
  }

  #decode(): UnstructuredObject {
    const object = this.stored()
    if (object.apiVersion !== this.form.apiVersion && this.form.served.definition.convert !== undefined) {
      throw new ApiError(
        'InternalError',
        `${this.source.key} is stored as ${object.apiVersion} and was not converted to ${this.form.apiVersion}`,
      )
    }
    return this.#finish(object)
  }

  #finish(whole: UnstructuredObject): UnstructuredObject {
    const object = this.form.pruning === undefined ? whole : prune(this.form.pruning, whole).value
    object.apiVersion = this.form.apiVersion
    object.metadata.resourceVersion = this.resourceVersion
    if (this.form.defaults !== undefined) applyDefaults(this.form.defaults, object)
    return object
  }

  #memosOf(attachment: Attachment): Map<ViewForm, Memo> {
    return this.#revision === this.source.modRevision ? attachment.memos : attachment.lastMemos
  }

  #existing(): Memo | undefined {
    const attachment = this.source.attached as Attachment | undefined
    return attachment === undefined ? undefined : this.#memosOf(attachment).get(this.form)
  }

  #shared(): Memo {
    let attachment = this.source.attached as Attachment | undefined
    if (attachment === undefined) {
      attachment = new Attachment(this.source)
      this.source.attached = attachment
    }
    const memos = this.#memosOf(attachment)
    let memo = memos.get(this.form)
    if (memo === undefined) {
      memo = {}
      memos.set(this.form, memo)
    }
    return memo
  }

  #grown(bytes: number): void {
    const attachment = this.source.attached
    if (attachment instanceof Attachment) this.#context.hot.touch(attachment, bytes)
  }
}

/** Copies all bytes or, when they do not fit, none; returns where they end, or -1. */
export function writeBytes(bytes: Uint8Array, target: Buffer, at: number): number {
  const end = at + bytes.length
  if (end > target.length) return -1
  target.set(bytes, at)
  return end
}

/** True when the payload of a plain value begins with the prefix. */
const beginsWith = (value: Uint8Array, prefix: Buffer): boolean =>
  value.length > plainPayloadAt + prefix.length && prefix.compare(value, plainPayloadAt, plainPayloadAt + prefix.length) === 0

const startsWith = (payload: Buffer, prefix: Buffer): boolean =>
  payload.length > prefix.length && payload.compare(prefix, 0, prefix.length, 0, prefix.length) === 0
