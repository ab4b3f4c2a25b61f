import type {
  Fence,
  GroupVersionResource,
  Kind,
  KubeObject,
  ObjectClient,
  ResourceClient,
  ServedKind,
  UnstructuredObject,
  UserInfo,
} from '@continuo/core'
import type { Requester } from '../request/requester.ts'
import type { Discovery } from './discovery.ts'
import { HttpResourceClient } from './http-resource-client.ts'
import { type Headers, type Identity, identityHeaders } from './identity.ts'

export interface HttpClientParts {
  readonly requester: Requester
  readonly discovery: Discovery
  readonly maxEventBytes: number
}

/** The object client of one identity; those derived from it share its connections. */
export class HttpObjectClient implements ObjectClient {
  readonly #parts: HttpClientParts
  readonly #identity: Identity
  #headers: Headers | undefined

  constructor(parts: HttpClientParts, identity: Identity = {}) {
    this.#parts = parts
    this.#identity = identity
  }

  for<T extends KubeObject>(kind: Kind<T>): ResourceClient<T> {
    return new HttpResourceClient(
      // Read with each request, and not here: an identity that no header can carry must make requests fail, and `for` never throws.
      { ...this.#parts, fieldManager: this.#identity.fieldManager, headers: () => (this.#headers ??= identityHeaders(this.#identity)) },
      kind,
    )
  }

  async resource(gvr: GroupVersionResource): Promise<ResourceClient<UnstructuredObject>> {
    return this.for((await this.#parts.discovery.find(gvr)).kind)
  }

  as(user: UserInfo): ObjectClient {
    return new HttpObjectClient(this.#parts, { ...this.#identity, user })
  }

  with({ fieldManager, fence, cause }: { readonly fieldManager?: string; readonly fence?: Fence; readonly cause?: string }): ObjectClient {
    return new HttpObjectClient(this.#parts, {
      ...this.#identity,
      ...(fieldManager === undefined ? {} : { fieldManager }),
      ...(fence === undefined ? {} : { fence }),
      ...(cause === undefined ? {} : { cause }),
    })
  }

  /** Everything of which there are objects: what can only be created is a review or an action. */
  async resources(): Promise<readonly ServedKind[]> {
    return (await this.#parts.discovery.all())
      .filter(({ verbs }) => verbs.some((verb) => verb !== 'create'))
      .map(({ kind, shortNames }) => ({ ...kind, shortNames }))
  }
}
