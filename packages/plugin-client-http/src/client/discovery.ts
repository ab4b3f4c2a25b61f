import { ApiError, type GroupVersionResource, type Kind, kind as kindOf, notServed, type UnstructuredObject } from '@continuo/core'
import type { Requester } from '../request/requester.ts'

/** One served resource. */
export interface Discovered {
  readonly kind: Kind<UnstructuredObject>
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
}

interface Document {
  readonly etag: string | undefined
  readonly resources: readonly Discovered[]
}

const accept = ['v2', 'v2beta1'].map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`).join(',')
const paths = ['/api', '/apis'] as const

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const fieldsOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : [])

const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [])

/** The resources in an aggregated discovery document (KEP-3352), in its order. Pure. */
export function readDiscovery(document: unknown): readonly Discovered[] {
  if (!isFields(document) || document.kind !== 'APIGroupDiscoveryList') {
    throw new ApiError('NotAcceptable', 'the server does not offer aggregated discovery', undefined, {
      hint: 'Kubernetes does from 1.27 on; check that `server` is the address of the API itself',
    })
  }
  return fieldsOf(document.items).flatMap((group) =>
    fieldsOf(group.versions).flatMap((version) =>
      fieldsOf(version.resources).flatMap((resource): Discovered[] => {
        const { resource: plural, responseKind, scope, verbs } = resource
        const name = isFields(group.metadata) && typeof group.metadata.name === 'string' ? group.metadata.name : ''
        if (
          typeof plural !== 'string' ||
          typeof version.version !== 'string' ||
          !isFields(responseKind) ||
          typeof responseKind.kind !== 'string'
        )
          return []
        const kind = kindOf<UnstructuredObject>({
          group: name,
          version: version.version,
          kind: responseKind.kind,
          resource: plural,
          namespaced: scope === 'Namespaced',
        })
        return [{ kind, verbs: textsOf(verbs), shortNames: textsOf(resource.shortNames) }]
      }),
    ),
  )
}

/** What the server serves. Documents are kept and asked for again by their tags, which costs little while nothing changed. */
export class Discovery {
  readonly #requester: Requester
  #documents: readonly Document[] | undefined
  #loading: Promise<readonly Document[]> | undefined

  constructor(requester: Requester) {
    this.#requester = requester
  }

  /** Everything, as it is now. */
  async all(): Promise<readonly Discovered[]> {
    return (await this.#load()).flatMap((document) => document.resources)
  }

  /** One resource: from what is known, else as it is now. Throws 404. */
  async find(wanted: GroupVersionResource): Promise<Discovered> {
    const found = search(this.#documents ?? [], wanted) ?? search(await this.#refresh(), wanted)
    if (found === undefined) throw notServed()
    return found
  }

  /** The server did not know a resource: what is kept may be out of date. */
  invalidate(): void {
    this.#documents = undefined
  }

  /** Shared by all who look for something at the same time. */
  #refresh(): Promise<readonly Document[]> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #load(): Promise<readonly Document[]> {
    const known = this.#documents
    const documents = await Promise.all(
      paths.map(async (path, index): Promise<Document> => {
        const old = known?.[index]
        const headers: Readonly<Record<string, string>> = old?.etag === undefined ? {} : { 'if-none-match': old.etag }
        const answer = await this.#requester.json({ method: 'GET', path, accept, headers })
        if (answer.status === 304 && old !== undefined) return old
        return { etag: answer.headers.etag, resources: readDiscovery(answer.value) }
      }),
    )
    this.#documents = documents
    return documents
  }
}

const search = (documents: readonly Document[], wanted: GroupVersionResource): Discovered | undefined =>
  documents
    .flatMap((document) => document.resources)
    .find(({ kind }) => kind.group === wanted.group && kind.version === wanted.version && kind.resource === wanted.resource)
