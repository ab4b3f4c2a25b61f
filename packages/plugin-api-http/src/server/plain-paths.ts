import type { Caller, Clock, Health, Metrics, ObjectService } from '@continuo/core'
import type { ApiDelegate, ApiRoute } from '@continuo/workload'
import { Discovery } from '../discovery/discovery.ts'
import { answerHealth, isHealthPath } from '../health/health-endpoints.ts'
import { versionInfo } from '../health/version.ts'
import { OpenApi, type OpenApiOptions } from '../openapi/open-api.ts'
import type { PlainPath } from '../request/path.ts'
import { methodNotAllowed, notFound } from '../resources/operation.ts'
import { jsonForm, sendBytes, sendJson } from './answer.ts'
import type { Exchange } from './exchange.ts'

export interface PlainPathsOptions {
  readonly service: ObjectService
  readonly clock: Clock
  readonly metrics: Metrics
  readonly health: Health
  readonly routes: { get(path: string): ApiRoute | undefined }
  /** Other servers that answer some group versions. */
  readonly delegate?: ApiDelegate
  readonly openApi: OpenApiOptions
  /** `host:port` for the legacy discovery document. */
  readonly address: () => string
}

const roots = ['/api', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version']
const metricsForm = 'text/plain; version=0.0.4; charset=utf-8'

/** Everything beside the resources: health, discovery, documents, metrics, and the paths of other plugins. All is read by GET. */
export class PlainPaths {
  readonly #options: PlainPathsOptions
  readonly #discovery: Discovery
  readonly #openApi: OpenApi
  readonly #startedAt: string

  constructor(options: PlainPathsOptions) {
    const { service, address, delegate, openApi, clock } = options
    this.#options = options
    this.#discovery = new Discovery(service.registry, address, delegate)
    this.#openApi = new OpenApi(service.registry, { ...openApi, delegate })
    this.#startedAt = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
  }

  /** Throws 404 for a path that nobody has, 405 for another method on one of the server's own. */
  async answer(exchange: Exchange, { segments }: PlainPath, caller: Caller): Promise<void> {
    const [root] = segments
    const isOurs = isHealthPath(segments) || Discovery.owns(segments) || root === 'openapi' || root === 'version'
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw isOurs ? methodNotAllowed() : notFound()
    if (isHealthPath(segments)) return answerHealth(exchange, segments, this.#options.health)
    if (Discovery.owns(segments)) return this.#discovery.answer(exchange, segments)
    if (root === 'openapi') return this.#openApi.answer(exchange, segments)
    if (root === undefined) return sendJson(exchange, 200, jsonForm, { paths: roots })
    if (segments.length === 1 && root === 'version') return sendJson(exchange, 200, jsonForm, versionInfo(this.#startedAt))
    if (segments.length === 1 && root === 'metrics')
      return sendBytes(exchange, 200, metricsForm, Buffer.from(await this.#options.metrics.expose()))
    const route = this.#options.routes.get(segments.join('/'))
    if (route === undefined) throw notFound()
    const { status = 200, type = jsonForm.mediaType, body } = await route.get({ query: exchange.query ?? new URLSearchParams(), caller })
    sendBytes(exchange, status, type, typeof body === 'string' ? Buffer.from(body) : body)
  }
}
