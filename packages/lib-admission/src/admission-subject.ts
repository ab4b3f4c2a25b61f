import {
  type AdmissionRequest,
  ApiError,
  applyDefaults,
  type DeepReadonly,
  formatApiVersion,
  type GroupVersionKind,
  mutableCopy,
  Namespace,
  notServed,
  type ObjectMeta,
  prune,
  type Registry,
  type Schema,
  type ServedResource,
  type Subresource,
  setOwn,
  type UnstructuredObject,
} from '@continuo/core'
import type { ResourceForm } from './equivalents.ts'
import type { RuleSubject } from './match-rule.ts'

type View = DeepReadonly<UnstructuredObject>

/** The object of a request and what it was, in one form. */
export interface VersionedObjects {
  readonly object: UnstructuredObject | undefined
  readonly oldObject: View | undefined
}

type Labels = Readonly<Record<string, string>>

/**
 * One admission request as webhooks and policies see it: a subresource by the body of its own kind (Scale, Binding), everything in
 * whichever served version they ask for. Lives as long as the request.
 */
export class AdmissionSubject implements RuleSubject {
  readonly request: AdmissionRequest
  readonly served: ServedResource
  readonly #registry: Registry
  readonly #subresource: Subresource | undefined

  /** Throws 404 when the resource is not served any more. */
  constructor(request: AdmissionRequest, registry: Registry) {
    const served = registry.resolve(request.resource)
    if (served === undefined) throw notServed()
    this.request = request
    this.served = served
    this.#registry = registry
    this.#subresource = served.version.subresources?.find(({ name }) => name === request.subresource)
  }

  get operation(): AdmissionRequest['operation'] {
    return this.request.operation
  }

  get resource(): AdmissionRequest['resource'] {
    return this.request.resource
  }

  get subresource(): string {
    return this.request.subresource ?? ''
  }

  /** That of the request; of a namespace, its own name. */
  get namespace(): string {
    return this.isNamespace ? this.request.name : this.request.namespace
  }

  get name(): string {
    return this.request.name
  }

  get isNamespace(): boolean {
    return this.resource.group === '' && this.resource.resource === 'namespaces'
  }

  /** The form in which the request came. */
  get form(): ResourceForm {
    return { resource: this.resource, kind: this.request.kind }
  }

  get object(): UnstructuredObject | undefined {
    const { object, body } = this.request
    if (object === undefined || !this.#hasOwnBody) return object
    return this.#read?.(object) ?? (body === undefined ? object : mutableCopy(body as UnstructuredObject))
  }

  get oldObject(): View | undefined {
    const { oldObject } = this.request
    if (oldObject === undefined || !this.#hasOwnBody) return oldObject
    return this.#read?.(oldObject)
  }

  /** The namespace in which the object lies; undefined for objects of the cluster, namespaces among them. */
  get namespaceObject(): DeepReadonly<Namespace> | undefined {
    const { namespace, read } = this.request
    return this.isNamespace || namespace === '' ? undefined : read.get(Namespace, { namespace: '', name: namespace })
  }

  /** What a namespace selector looks at; undefined for what is in no namespace and is none: selectors let it pass. */
  get namespaceLabels(): Labels | undefined {
    if (this.isNamespace) return labelsOf(this.request.object ?? this.request.oldObject) ?? {}
    return this.request.namespace === '' ? undefined : (this.namespaceObject?.metadata.labels ?? {})
  }

  /** Both objects in the given form; the object is a private copy. Throws what the resource's conversion throws. */
  async in(form: ResourceForm): Promise<VersionedObjects> {
    const { object, oldObject } = this
    return {
      object: object === undefined ? undefined : mutableCopy(await this.#convert(object, form.kind)),
      oldObject: oldObject === undefined ? undefined : await this.#convert(oldObject, form.kind),
    }
  }

  /** Puts a changed object, in the given form, in the place of the request's: pruned and defaulted as a body is. Throws 400, 405. */
  async replace(changed: UnstructuredObject, form: ResourceForm): Promise<void> {
    const target = this.request.object
    if (target === undefined) throw new ApiError('InternalError', 'a request without an object cannot be changed')
    const own = this.#registry.resolve(form.resource) ?? this.served
    const body = this.#decode(changed, own)
    const native = mutableCopy(await this.#convert(body, this.request.kind))
    if (!this.#hasOwnBody) return keepIdentity(target, native)
    if (this.#subresource?.type !== 'object')
      throw new ApiError('MethodNotAllowed', `${this.request.kind.kind} of ${this.resource.resource} cannot be changed by admission`)
    keepIdentity(target, this.#subresource.write(mutableCopy(target), native))
  }

  get #hasOwnBody(): boolean {
    return this.#subresource?.type === 'object' && this.#subresource.kind.kind !== this.served.gvk.kind
  }

  get #read(): ((parent: View) => UnstructuredObject) | undefined {
    return this.#subresource?.type === 'object' ? this.#subresource.read?.bind(this.#subresource) : undefined
  }

  #decode(body: UnstructuredObject, served: ServedResource): UnstructuredObject {
    if (this.#subresource !== undefined && this.#subresource.kind.kind !== served.gvk.kind) {
      const schema: Schema | undefined = this.#subresource.type === 'connect' ? undefined : this.#subresource.schema
      return schema === undefined ? body : decode(schema, body)
    }
    const decoded = decode(served.schema, body)
    served.definition.strategy?.default?.(decoded)
    return decoded
  }

  async #convert<T extends View>(object: T, kind: GroupVersionKind): Promise<T> {
    const apiVersion = formatApiVersion(kind)
    const own = this.#subresource !== undefined && this.#subresource.kind.kind !== this.served.gvk.kind
    if (object.apiVersion === apiVersion || own) return object
    const { convert } = this.served.definition
    if (convert === undefined) return { ...object, apiVersion, kind: kind.kind }
    const [converted] = await convert.call(this.served.definition, [object as unknown as UnstructuredObject], apiVersion)
    return converted as unknown as T
  }
}

export const labelsOf = (object: View | undefined): Labels | undefined => object?.metadata?.labels

function decode(schema: Schema, body: UnstructuredObject): UnstructuredObject {
  const { value } = prune(schema, body)
  applyDefaults(schema, value)
  return value
}

const systemFields = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'resourceVersion',
  'generation',
  'managedFields',
] as const satisfies readonly (keyof ObjectMeta)[]

/** Makes `target` what `next` is, and keeps what only the system says of an object. Throws 400 for an object that would lie elsewhere. */
function keepIdentity(target: UnstructuredObject, next: UnstructuredObject): void {
  if ((target.metadata?.namespace ?? '') !== (next.metadata?.namespace ?? ''))
    throw new ApiError('BadRequest', 'the namespace of the provided object does not match the namespace sent on the request')
  const system = systemFields.map((field) => [field, target.metadata?.[field]] as const)
  for (const key of Object.keys(target)) if (!Object.hasOwn(next, key)) delete target[key]
  for (const [key, value] of Object.entries(next)) setOwn(target, key, value)
  const { metadata } = target
  if (metadata === undefined) return
  for (const [field, value] of system) {
    if (value === undefined) delete metadata[field]
    else setOwn(metadata as unknown as Record<string, unknown>, field, value)
  }
}
