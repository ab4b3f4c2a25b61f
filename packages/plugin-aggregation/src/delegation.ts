import { ApiError, type Clock, type DeepReadonly, jsonEqual, withDeadline } from '@continuo/core'
import type {
  APIService,
  ApiDelegate,
  ClusterDialer,
  ConnectTarget,
  DelegatedRequest,
  DelegatedResource,
  DelegatedVersion,
} from '@continuo/workload'
import { type Availability, failedCheck, passed } from './check-service.ts'
import { ExtensionServer } from './extension-server.ts'
import { type FrontProxy, identityHeaders } from './front-proxy.ts'

export interface DelegationOptions {
  readonly dialer: ClusterDialer
  readonly clock: Clock
  readonly proxy: () => FrontProxy
  readonly timeoutMs: number
}

/** One APIService that leads elsewhere, with what is known of its server. */
interface Delegate {
  readonly group: string
  readonly version: string
  readonly spec: NonNullable<DeepReadonly<APIService>['spec']>
  readonly server: ExtensionServer
  resources: readonly DelegatedResource[]
  openApi: Readonly<Record<string, unknown>> | undefined
  /** Undefined until it was asked for the first time: requests may try. */
  availability: Availability | undefined
}

const upgrades = ['websocket', 'spdy/3.1']
/** Asks for documents in the name of the API itself. */
const aggregator = identityHeaders({ username: 'system:kube-aggregator', groups: ['system:masters'] })

const resourcesOf = (bytes: Uint8Array): readonly DelegatedResource[] => {
  const { resources } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly resources?: readonly DelegatedResource[] }
  return Array.isArray(resources) ? resources : []
}

/** Which group versions go elsewhere, kept from the APIServices, and what their servers said of themselves. */
export class Delegation implements ApiDelegate {
  readonly #options: DelegationOptions
  readonly #delegates = new Map<string, Map<string, Delegate>>()
  #generation = 0

  constructor(options: DelegationOptions) {
    this.#options = options
  }

  get frontProxyAuthority(): string {
    return this.#options.proxy().authority
  }

  get generation(): number {
    return this.#generation
  }

  /** Takes an APIService over, new or changed; one without a service is answered here. */
  set({ spec }: DeepReadonly<APIService>): void {
    if (spec?.service === undefined) {
      this.remove(spec)
      return
    }
    const { group = '', version = '' } = spec
    const known = this.#delegates.get(group)?.get(version)
    if (known !== undefined && jsonEqual(known.spec, spec)) return
    const server = new ExtensionServer(spec, this.#options.dialer, this.#options.proxy)
    const versions = this.#delegates.get(group) ?? new Map<string, Delegate>()
    versions.set(version, { group, version, spec, server, resources: [], openApi: undefined, availability: undefined })
    this.#delegates.set(group, versions)
    this.#generation++
  }

  remove(spec: DeepReadonly<APIService>['spec']): void {
    const { group = '', version = '' } = spec ?? {}
    const versions = this.#delegates.get(group)
    if (versions?.delete(version) !== true) return
    if (versions.size === 0) this.#delegates.delete(group)
    this.#generation++
  }

  has(group: string, version: string): boolean {
    return this.#delegates.get(group)?.has(version) === true
  }

  target({ group, version, url, caller }: DelegatedRequest): ConnectTarget {
    const { server, availability } = this.#get(group, version)
    if (availability?.available === false)
      throw new ApiError('ServiceUnavailable', 'service unavailable', undefined, { hint: availability.message })
    return {
      open: (signal) => server.open(signal),
      path: url,
      host: server.host,
      upgrades,
      transparent: true,
      refuseRedirects: true,
      headers: identityHeaders(caller.user),
    }
  }

  versions(): readonly DelegatedVersion[] {
    return this.#all().map(({ group, version, resources, availability }) => ({
      group,
      version,
      resources,
      freshness: availability?.available === true ? 'Current' : 'Stale',
    }))
  }

  openApi(): ReturnType<ApiDelegate['openApi']> {
    return this.#all().flatMap(({ group, version, openApi }) => (openApi === undefined ? [] : [{ group, version, document: openApi }]))
  }

  async openApiV3(group: string, version: string): Promise<Uint8Array | undefined> {
    const { server, availability } = this.#get(group, version)
    if (availability?.available !== true) return undefined
    return this.#within((signal) => server.fetch(`/openapi/v3/apis/${group}/${version}`, aggregator, signal)).catch(() => undefined)
  }

  /** Asks the server what it serves, unless `objection` says why not, and remembers what comes of it. Never throws. */
  async check(group: string, version: string, objection: Availability | undefined): Promise<Availability> {
    const delegate = this.#delegates.get(group)?.get(version)
    if (delegate === undefined) return passed
    const result = objection ?? (await this.#ask(delegate))
    if (result.available !== delegate.availability?.available) this.#generation++
    delegate.availability = result
    return result
  }

  async #ask(delegate: Delegate): Promise<Availability> {
    const { group, version, server } = delegate
    const path = `/apis/${group}/${version}`
    try {
      const resources = resourcesOf(await this.#within((signal) => server.fetch(path, aggregator, signal)))
      if (!jsonEqual(resources, delegate.resources)) {
        delegate.resources = resources
        this.#generation++
      }
    } catch (error) {
      return failedCheck(`https://${server.host}${path}`, error instanceof Error ? error.message : String(error))
    }
    // A server without documents serves all the same.
    const openApi = await this.#within((signal) => server.fetch('/openapi/v2', aggregator, signal)).then(
      (bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')) as Readonly<Record<string, unknown>>,
      () => undefined,
    )
    if (!jsonEqual(openApi, delegate.openApi)) {
      delegate.openApi = openApi
      this.#generation++
    }
    return passed
  }

  #within<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options
    const abort = new AbortController()
    return withDeadline(clock, timeoutMs, 'the answer of an extension server', () => run(abort.signal)).finally(() => abort.abort())
  }

  #get(group: string, version: string): Delegate {
    const delegate = this.#delegates.get(group)?.get(version)
    if (delegate === undefined) throw new ApiError('NotFound', 'the server could not find the requested resource', {})
    return delegate
  }

  #all(): readonly Delegate[] {
    return [...this.#delegates.values()].flatMap((versions) => [...versions.values()])
  }
}
