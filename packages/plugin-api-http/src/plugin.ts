import { join } from 'node:path'
import {
  ApiError,
  type Clock,
  ClockCap,
  ContinuoError,
  DecisionLogCap,
  definePlugin,
  HealthCap,
  HostSettingsCap,
  isContinuoError,
  type Log,
  MetricsCap,
  ObjectServiceCap,
  optional,
  RandomCap,
} from '@continuo/core'
import { signCertificateRequest } from '@continuo/lib-certificates'
import {
  AccessGateCap,
  ApiDelegateCap,
  type ApiEndpoint,
  ApiEndpointCap,
  ApiRouteCap,
  AuditLogCap,
  AuthenticatorCap,
  AuthorizerCap,
  CertificateSignerCap,
  ClusterCaCap,
  ConnectHandlerCap,
  decodeProtobuf,
  FlowControlCap,
  hasDefinition,
  loadDescriptions,
  NodeDialerCap,
  schemaOf,
  UpgradeRouteCap,
} from '@continuo/workload'
import { recognise } from './access/authenticate.ts'
import { decide } from './access/authorize.ts'
import { isLoopback } from './access/loopback.ts'
import { type ApiHttpConfig, apiHttpConfig, readListen } from './config.ts'
import { podConnectHandlers } from './connect/pod-connect.ts'
import { decisionRoute, decisionsPath } from './decisions/decision-route.ts'
import { YamlThread } from './resources/yaml-thread.ts'
import { ApiServer } from './server/api-server.ts'
import { type ApiCertificates, ensureCertificates, issueClient, urlHost } from './server/certificates.ts'
import { Exchange } from './server/exchange.ts'
import { Listener } from './server/listener.ts'

const dayMs = 86_400_000
/** Time that answers have to end when the server stops; watches are told at once. */
const stopGraceMs = 3_000

/**
 * The API over HTTP: TLS with an authority of its own, HTTP/2 and HTTP/1.1 on one port. Provides `api-endpoint/v1`, from which
 * a kubeconfig is written, and with TLS `cluster-ca/v1` and `certificate-signer/v1`. Authentication, authorisation and connect handlers of other plugins join by their capabilities.
 */
export const apiHttp = definePlugin({
  name: 'api-http',
  api: '^1',
  roles: ['control-plane'],
  config: apiHttpConfig,
  requires: {
    service: ObjectServiceCap,
    clock: ClockCap,
    random: RandomCap,
    metrics: MetricsCap,
    health: HealthCap,
    settings: optional(HostSettingsCap),
    dialer: optional(NodeDialerCap),
    flowControl: optional(FlowControlCap),
    audit: optional(AuditLogCap),
    delegate: optional(ApiDelegateCap),
    authenticators: AuthenticatorCap,
    authorizers: AuthorizerCap,
    connectHandlers: ConnectHandlerCap,
    upgradeRoutes: UpgradeRouteCap,
    routes: ApiRouteCap,
    decisions: DecisionLogCap,
  },
  provides: (config) => [ApiEndpointCap, AccessGateCap, ...(config.tls ? [ClusterCaCap, CertificateSignerCap] : [])],
  async setup(ctx) {
    const { config, use, clock, log } = ctx
    const address = readListen(config.listen ?? use.settings?.listen ?? '127.0.0.1:6443')
    const certificates = config.tls ? await prepareCertificates(config, address.host, use.settings?.dataDir, clock, log) : undefined
    if (certificates === undefined) refusePublicPlainHttp(address.host)
    let port: number | undefined
    const host = urlHost(config.advertise ?? address.host)
    const endpoint = describeEndpoint(certificates, clock, () => {
      if (port === undefined)
        throw new ContinuoError('API_NOT_LISTENING', 'the API does not listen yet', {
          hint: 'read its URL from the start group `servers` on',
        })
      return `${config.tls ? 'https' : 'http'}://${host}:${port}`
    })
    ctx.provide(ApiEndpointCap, endpoint)
    if (certificates !== undefined) {
      ctx.provide(ClusterCaCap, { certificate: certificates.authority.certificate })
      ctx.provide(CertificateSignerCap, {
        sign: ({ request, ...order }) => signCertificateRequest(certificates.authority, request, { ...order, now: clock.now() }),
      })
    }

    ctx.provide(AccessGateCap, {
      authorize: (attributes) => decide(attributes, use.authorizers, config.authorization),
      authenticate: (token, audiences) =>
        recognise({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '', audiences }, use.authenticators),
    })
    const stopping = new AbortController()
    const builtin = podConnectHandlers(use.dialer)
    const yaml = new YamlThread(clock)
    const server = new ApiServer({
      service: use.service,
      clock,
      random: use.random,
      log,
      metrics: use.metrics,
      health: use.health,
      authenticators: use.authenticators,
      authorizers: use.authorizers,
      connectHandlers: { get: (key) => use.connectHandlers.get(key) ?? builtin.get(key) },
      upgradeRoutes: use.upgradeRoutes,
      routes: { get: (path) => (path === decisionsPath ? decisionRoute(use.decisions) : use.routes.get(path)) },
      authorization: config.authorization,
      flow: config.limits,
      flowControl: use.flowControl,
      audit: use.audit,
      delegate: use.delegate,
      body: { maxBytes: config.limits.bodyBytes, timeoutMs: config.limits.bodyTimeoutSeconds * 1000 },
      decoding: { maxBytes: config.limits.bodyBytes, protobuf: readProtobuf, yaml },
      openApi: { random: use.random, clock, loadDescriptions, definition: (name) => (hasDefinition(name) ? schemaOf(name) : undefined) },
      watchTimeoutSeconds: config.watchTimeoutSeconds,
      address: () => `${host}:${port ?? address.port}`,
      stopping: stopping.signal,
    })
    const listener = new Listener({
      ...address,
      tls: certificates?.tls,
      maxHeaderBytes: config.limits.headerBytes,
      maxConnections: config.limits.connections,
      clock,
      onRequest: (exchange) => void server.handle(exchange),
      onUpgrade: (request, socket, head) => void server.upgrade(Exchange.ofUpgrade(request, socket), request, socket, head),
    })
    ctx.onStart('servers', async () => {
      port = await listener.listen()
      log.info({ url: endpoint.url }, 'the API listens')
    })
    ctx.every(config.watchRightsSeconds * 1000, () => server.recheckWatches())
    if (certificates !== undefined) {
      ctx.every(dayMs, async () => listener.renew((await prepareCertificates(config, address.host, use.settings?.dataDir, clock, log)).tls))
    }
    ctx.onStop(async () => {
      stopping.abort()
      if (port !== undefined) await listener.close(stopGraceMs)
      await yaml.close()
    })
  },
})

function refusePublicPlainHttp(host: string): void {
  if (!isLoopback(host))
    throw new ContinuoError('API_PLAIN_HTTP', `the API would serve plain HTTP on ${host}, where others reach it`, {
      hint: 'remove `tls: false`, or listen on 127.0.0.1',
    })
}

async function prepareCertificates(
  config: ApiHttpConfig,
  host: string,
  dataDir: string | undefined,
  clock: Clock,
  log: Log,
): Promise<ApiCertificates> {
  const directory = config.certificateDir ?? (dataDir === undefined ? undefined : join(dataDir, 'pki'))
  if (directory === undefined)
    throw new ContinuoError('API_NO_DIRECTORY', 'the API has no directory for its certificates', {
      hint: 'set `certificateDir`, or give the host a data directory',
    })
  log.debug({ directory }, 'certificates are kept here')
  return ensureCertificates({
    directory,
    hosts: [host, ...(config.advertise === undefined ? [] : [config.advertise])],
    names: config.names,
    now: clock.now(),
  })
}

const describeEndpoint = (certificates: ApiCertificates | undefined, clock: Clock, url: () => string): ApiEndpoint => ({
  get url() {
    return url()
  },
  authority: certificates?.authority.certificate,
  admin: certificates?.admin,
  issue: (user, validDays) => {
    if (certificates === undefined)
      throw new ContinuoError('API_NO_AUTHORITY', 'an API without TLS signs no certificates', { hint: 'remove `tls: false`' })
    return issueClient(certificates.authority, user, validDays, clock.now())
  },
})

/** Bad bytes are the client's fault. */
function readProtobuf(bytes: Uint8Array): unknown {
  try {
    return decodeProtobuf(bytes).value
  } catch (error) {
    if (!isContinuoError(error)) throw error
    throw new ApiError('BadRequest', error.message, undefined, { hint: error.hint, cause: error })
  }
}
