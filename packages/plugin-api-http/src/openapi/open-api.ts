import { createHash } from 'node:crypto'
import { ApiError, formatApiVersion, type Random, type Registry, type ServedResource } from '@continuo/core'
import type { ApiDelegate } from '@continuo/workload'
import { parseAccept } from '../request/negotiate.ts'
import { notFound } from '../resources/operation.ts'
import { sendBytes } from '../server/answer.ts'
import type { Exchange, RawHeaders } from '../server/exchange.ts'
import { buildV2, buildV3, type DocumentSources } from './build-document.ts'
import { encodeGnostic } from './gnostic.ts'
import { mergeV2 } from './merge-v2.ts'

const gnosticType = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
const gnosticAccept = new Set([gnosticType, 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'])

/** Documents that are kept; the one that was not used for longest goes first, and is made again when asked for. */
const maxDocuments = 24

export interface OpenApiOptions extends DocumentSources {
  readonly random: Random
  readonly delegate?: ApiDelegate
}

/** Publishes the schemas of everything that is served. Documents are made when they are first asked for, and again after a change of their resources. */
export class OpenApi {
  readonly #registry: Registry
  readonly #options: OpenApiOptions
  /** Makes hashes of this process its own: clients keep documents by hash for longer than a process lives. */
  readonly #salt: Uint8Array
  readonly #identities = new WeakMap<ServedResource, number>()
  #lastIdentity = 0
  readonly #documents = new Map<string, Promise<Uint8Array>>()

  constructor(registry: Registry, options: OpenApiOptions) {
    this.#registry = registry
    this.#options = options
    this.#salt = options.random.bytes(16)
  }

  /** Answers `/openapi/v2`, `/openapi/v3` and the documents below it. Throws 404. */
  async answer(exchange: Exchange, segments: readonly string[]): Promise<void> {
    const [, version, ...rest] = segments
    if (version === 'v3') return rest.length === 0 ? this.#index(exchange) : this.#groupVersion(exchange, rest.join('/'))
    if (version === 'v2' && rest.length === 0) return this.#v2(exchange)
    throw notFound()
  }

  #byGroupVersion(): Map<string, ServedResource[]> {
    const groups = new Map<string, ServedResource[]>()
    for (const served of this.#registry.served()) {
      const path = `${served.gvr.group === '' ? 'api' : 'apis'}/${formatApiVersion(served.gvr)}`
      const known = groups.get(path)
      if (known === undefined) groups.set(path, [served])
      else known.push(served)
    }
    return groups
  }

  /** Changes when one of the resources was replaced: each registration is an object of its own. */
  #hash(served: readonly ServedResource[], form: string): string {
    const hash = createHash('sha512').update(this.#salt).update(form)
    for (const one of served) {
      let identity = this.#identities.get(one)
      if (identity === undefined) {
        identity = ++this.#lastIdentity
        this.#identities.set(one, identity)
      }
      hash.update(`/${identity}`)
    }
    return hash.digest('hex').slice(0, 64).toUpperCase()
  }

  #index(exchange: Exchange): void {
    const paths: Record<string, { readonly serverRelativeURL: string }> = {}
    for (const [path, served] of [...this.#byGroupVersion()].sort(([a], [b]) => (a < b ? -1 : 1))) {
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#hash(served, 'v3')}` }
    }
    for (const { group, version, freshness } of this.#options.delegate?.versions() ?? []) {
      const path = `apis/${group}/${version}`
      if (freshness === 'Current') paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#delegatedHash(path)}` }
    }
    sendBytes(exchange, 200, 'application/json', Buffer.from(`${JSON.stringify({ paths })}\n`))
  }

  /** Documents of other servers change when their discovery does, as far as is known here. */
  #delegatedHash(form: string): string {
    const hash = createHash('sha512').update(this.#salt).update(form)
    return hash.update(String(this.#options.delegate?.generation)).digest('hex').slice(0, 64).toUpperCase()
  }

  async #delegated(exchange: Exchange, delegate: ApiDelegate, group: string, version: string): Promise<void> {
    const document = await delegate.openApiV3(group, version)
    // A server without schemas: clients find none and validate nothing.
    sendBytes(
      exchange,
      200,
      'application/json',
      document ?? Buffer.from(JSON.stringify({ openapi: '3.0.0', info: { title: group, version }, paths: {} })),
    )
  }

  async #groupVersion(exchange: Exchange, path: string): Promise<void> {
    const [, group = '', version = ''] = path.split('/')
    const { delegate } = this.#options
    if (delegate?.has(group, version) === true) return this.#delegated(exchange, delegate, group, version)
    const served = this.#byGroupVersion().get(path)
    if (served === undefined) throw notFound()
    const types = parseAccept(exchange.header('accept')).map((range) => range.type)
    if (!types.some((type) => type === 'application/json' || type === '*/*' || type === 'application/*'))
      throw new ApiError('NotAcceptable', 'only the following media types are accepted: application/json')
    const hash = this.#hash(served, 'v3')
    const asked = exchange.query?.get('hash')
    const cache = asked === hash ? ['cache-control', 'public, immutable, max-age=31536000'] : []
    await this.#send(exchange, hash, 'application/json', cache, async () =>
      Buffer.from(JSON.stringify(await buildV3(served, this.#options))),
    )
  }

  async #v2(exchange: Exchange): Promise<void> {
    const served = this.#registry.served()
    const types = parseAccept(exchange.header('accept')).map((range) => range.type)
    const type = types.find((one) => gnosticAccept.has(one) || one === 'application/json' || one === '*/*' || one === 'application/*')
    if (type === undefined)
      throw new ApiError('NotAcceptable', `only the following media types are accepted: application/json, ${gnosticType}`)
    if (gnosticAccept.has(type)) {
      return this.#send(
        exchange,
        this.#v2Hash(served, 'v2/protobuf'),
        'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
        [],
        async () => encodeGnostic(await this.#buildV2(served)),
      )
    }
    await this.#send(exchange, this.#v2Hash(served, 'v2/json'), 'application/json', [], async () =>
      Buffer.from(JSON.stringify(await this.#buildV2(served))),
    )
  }

  #v2Hash(served: readonly ServedResource[], form: string): string {
    const own = this.#hash(served, form)
    return this.#options.delegate === undefined ? own : `${own}${this.#options.delegate.generation.toString(16)}`
  }

  async #buildV2(served: readonly ServedResource[]): Promise<Record<string, unknown>> {
    const own = await buildV2(served, this.#options)
    return mergeV2(own, this.#options.delegate?.openApi() ?? [])
  }

  async #send(exchange: Exchange, hash: string, contentType: string, extra: RawHeaders, make: () => Promise<Uint8Array>): Promise<void> {
    const etag = `"${hash}"`
    const headers = [...extra, 'etag', etag, 'vary', 'Accept']
    if (exchange.header('if-none-match') === etag) {
      exchange.response.writeHead(304, headers)
      exchange.response.end()
      return
    }
    sendBytes(exchange, 200, contentType, await this.#document(hash, make), headers)
  }

  /** Requests for one document at one time share its making. */
  #document(hash: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#documents.get(hash)
    this.#documents.delete(hash)
    const document = known ?? make()
    this.#documents.set(hash, document)
    if (known === undefined) document.catch(() => this.#documents.delete(hash))
    for (const oldest of this.#documents.keys()) {
      if (this.#documents.size <= maxDocuments) break
      this.#documents.delete(oldest)
    }
    return document
  }
}
