import { createHash } from 'node:crypto'
import type { Registry } from '@continuo/core'
import type { ApiDelegate } from '@continuo/workload'
import { parseAccept, requirePlain } from '../request/negotiate.ts'
import { notFound } from '../resources/operation.ts'
import { dress, jsonForm, sendBytes } from '../server/answer.ts'
import type { Exchange } from '../server/exchange.ts'
import { type DescribedGroup, describeGroups } from './describe-resources.ts'
import { aggregated, apiGroup, apiGroupList, apiResourceList, apiVersions } from './documents.ts'
import { mergeDelegated } from './merge-delegated.ts'

interface Document {
  readonly bytes: Uint8Array
  readonly etag: string
}

const encode = (value: object): Document => {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` }
}

/** The version of the aggregated form that the client prefers over the legacy one, if it does. */
function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== 'application/json' && type !== '*/*') continue
    if (parameters.as === undefined) return undefined
    if (
      parameters.as === 'APIGroupDiscoveryList' &&
      parameters.g === 'apidiscovery.k8s.io' &&
      (parameters.v === 'v2' || parameters.v === 'v2beta1')
    )
      return parameters.v
  }
  return undefined
}

/** Answers what is served, always from the live registry; documents are made once for each of its generations. */
export class Discovery {
  readonly #registry: Registry
  readonly #address: () => string
  readonly #delegate: ApiDelegate | undefined
  #generation = -1
  #delegateGeneration = -1
  #groups: readonly DescribedGroup[] = []
  readonly #documents = new Map<string, Document>()

  constructor(registry: Registry, address: () => string, delegate?: ApiDelegate) {
    this.#registry = registry
    this.#address = address
    this.#delegate = delegate
  }

  /** True for the paths that it answers. */
  static owns(segments: readonly string[]): boolean {
    return (segments[0] === 'api' && segments.length <= 2) || (segments[0] === 'apis' && segments.length <= 3)
  }

  /** Throws 404 for a group or version that is not served. */
  answer(exchange: Exchange, segments: readonly string[]): void {
    this.#refresh()
    const [root, first, second] = segments
    if (first === undefined) this.#root(exchange, root as 'api' | 'apis')
    else if (root === 'api') this.#version(exchange, this.#group(''), first)
    else if (second !== undefined) this.#version(exchange, this.#group(first), second)
    else {
      const group = this.#group(first)
      this.#send(exchange, `group/${group.name}`, () => apiGroup(group))
    }
  }

  #group(name: string): DescribedGroup {
    const group = this.#groups.find((one) => one.name === name)
    if (group === undefined) throw notFound()
    return group
  }

  #version(exchange: Exchange, group: DescribedGroup, version: string): void {
    const described = group.versions.find((one) => one.version === version)
    if (described === undefined) throw notFound()
    this.#send(exchange, `resources/${group.name}/${version}`, () => apiResourceList(group.name, described))
  }

  #root(exchange: Exchange, root: 'api' | 'apis'): void {
    const version = aggregatedVersion(exchange.header('accept'))
    const groups = this.#groups.filter((group) => (group.name === '') === (root === 'api'))
    if (version === undefined) {
      this.#send(exchange, root, () => (root === 'api' ? apiVersions(groups[0], this.#address()) : apiGroupList(groups)))
      return
    }
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
    this.#send(exchange, `${root}/${version}`, () => aggregated(groups, version), contentType)
  }

  #send(exchange: Exchange, key: string, make: () => object, contentType?: string): void {
    let document = this.#documents.get(key)
    if (document === undefined) {
      document = encode(make())
      this.#documents.set(key, document)
    }
    const headers = ['etag', document.etag, 'vary', 'Accept']
    if (exchange.header('if-none-match') === document.etag) {
      exchange.response.writeHead(304, headers)
      exchange.response.end()
      return
    }
    if (contentType === undefined) requirePlain(exchange.header('accept'))
    const dressed = contentType === undefined ? dress(exchange, jsonForm, document.bytes) : { contentType, bytes: document.bytes }
    sendBytes(exchange, 200, dressed.contentType, dressed.bytes, headers)
  }

  #refresh(): void {
    const { generation } = this.#registry
    const delegateGeneration = this.#delegate?.generation ?? -1
    if (generation === this.#generation && delegateGeneration === this.#delegateGeneration) return
    this.#groups = mergeDelegated(describeGroups(this.#registry.served()), this.#delegate?.versions() ?? [])
    this.#delegateGeneration = delegateGeneration
    this.#documents.clear()
    this.#generation = generation
  }
}
