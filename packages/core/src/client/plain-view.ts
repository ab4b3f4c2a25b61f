import type { DeepReadonly, UnstructuredObject } from '../objects/object.ts'
import { cloneJson } from '../schema/json-value.ts'
import type { ObjectView } from './object-service.ts'
import { StoredView, writeBytes } from './stored-view.ts'

/** A view of an object that is not stored as such: the body of a subresource, the answer of an action, the outcome of a dry run. */
export class PlainView implements ObjectView {
  readonly object: DeepReadonly<UnstructuredObject>
  #json: Uint8Array | undefined
  readonly #encodings = new Map<string, Uint8Array>()

  constructor(object: DeepReadonly<UnstructuredObject>) {
    this.object = object
  }

  get namespace(): string {
    return this.object.metadata?.namespace ?? ''
  }

  get name(): string {
    return this.object.metadata?.name ?? ''
  }

  get uid(): string {
    return this.object.metadata?.uid ?? ''
  }

  get resourceVersion(): string {
    return this.object.metadata?.resourceVersion ?? ''
  }

  get labels(): Readonly<Record<string, string>> | undefined {
    return this.object.metadata?.labels
  }

  peek(): DeepReadonly<UnstructuredObject> {
    return this.object
  }

  get json(): Uint8Array {
    this.#json ??= Buffer.from(JSON.stringify(this.object))
    return this.#json
  }

  writeJson(target: Buffer, at: number): number {
    return writeBytes(this.json, target, at)
  }

  encoded(form: string, make: (view: ObjectView) => Uint8Array): Uint8Array {
    let bytes = this.#encodings.get(form)
    if (bytes === undefined) {
      bytes = make(this)
      this.#encodings.set(form, bytes)
    }
    return bytes
  }
}

/** A copy of a view's object that belongs to the caller. */
export const copyOfView = (view: ObjectView): UnstructuredObject =>
  view instanceof StoredView ? view.copy() : (cloneJson(view.object) as UnstructuredObject)
