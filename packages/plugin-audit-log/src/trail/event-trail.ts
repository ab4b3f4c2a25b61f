import { formatMicroTime, type UserInfo } from '@continuo/core'
import type { AuditedRequest, AuditedStatus, AuditTrail } from '@continuo/workload'
import type { AuditDecision } from '../policy/decide-audit.ts'
import type { AuditStage } from '../policy/policy.ts'
import { bodiesAreSecret, redact } from './redact.ts'

/** Bodies above this many characters are left out, and an annotation says so. */
export const maxBodyLength = 1_048_576
const maxAnnotations = 64
const maxTextLength = 4_096

export interface TrailContext {
  readonly id: string
  readonly request: AuditedRequest
  readonly decision: AuditDecision
  /** Takes one line without its end. Never throws or waits. */
  readonly emit: (line: string) => void
  /** Wall milliseconds. */
  readonly now: () => number
}

/** Writes the events of one request: one for each stage that the policy does not omit. */
export class EventTrail implements AuditTrail {
  readonly id: string
  readonly wantsRequest: boolean
  readonly wantsResponse: boolean
  readonly #context: TrailContext
  readonly #annotations = new Map<string, string>()
  #impersonated: UserInfo | undefined
  #status: AuditedStatus | undefined
  #name = ''
  #sent: string | undefined
  #answered: string | undefined
  #isLong = false

  constructor(context: TrailContext) {
    const { level } = context.decision
    const mayTellBodies = context.request.path.isResource && !bodiesAreSecret(context.request.path)
    this.id = context.id
    this.#context = context
    this.wantsRequest = mayTellBodies && (level === 'Request' || level === 'RequestResponse')
    this.wantsResponse = mayTellBodies && level === 'RequestResponse'
  }

  received(): void {
    this.#emit('RequestReceived')
  }

  impersonates(user: UserInfo): void {
    this.#impersonated = user
  }

  annotate(key: string, value: string): void {
    if (this.#annotations.has(key) || this.#annotations.size >= maxAnnotations) return
    this.#annotations.set(key.slice(0, maxTextLength), redact(value.slice(0, maxTextLength)))
  }

  named(name: string): void {
    this.#name = name.slice(0, maxTextLength)
  }

  sent(body: unknown): void {
    if (this.wantsRequest) this.#sent = this.#textOf('requestObject', JSON.stringify(body))
  }

  answered(json: string): void {
    if (this.wantsResponse) this.#answered = this.#textOf('responseObject', json)
  }

  failed(status: AuditedStatus): void {
    this.#status = status
    if (this.wantsResponse) this.#answered = redact(JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, ...status }))
  }

  started(code: number): void {
    if (this.#isLong) return
    this.#isLong = true
    this.#emit('ResponseStarted', code)
  }

  panicked(): void {
    this.#emit('Panic', 500)
  }

  end(code: number): void {
    this.#emit('ResponseComplete', code)
  }

  #textOf(field: string, json: string | undefined): string | undefined {
    if (json === undefined) return undefined
    if (json.length > maxBodyLength) {
      this.annotate(`audit.continuo.dev/${field}`, `left out: ${json.length} characters`)
      return undefined
    }
    return redact(this.#context.decision.omitManagedFields ? JSON.stringify(withoutManagedFields(JSON.parse(json))) : json.trimEnd())
  }

  #emit(stage: AuditStage, code?: number): void {
    const { decision, request, emit, now, id } = this.#context
    if (decision.omitStages.has(stage)) return
    const { user, path, headers } = request
    const annotations = this.#annotations
    const event = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: decision.level,
      auditID: id,
      stage,
      requestURI: redact(request.uri),
      verb: request.verb,
      user: userOf(user),
      ...(this.#impersonated === undefined ? {} : { impersonatedUser: userOf(this.#impersonated) }),
      sourceIPs: sourcesOf(headers, request.remoteAddress),
      userAgent: redact(textOf(headers['user-agent']).slice(0, maxTextLength)),
      ...(path.isResource ? { objectRef: referenceOf(path, this.#name) } : {}),
      ...(code === undefined ? {} : { responseStatus: this.#statusOf(code) }),
      requestReceivedTimestamp: formatMicroTime(request.receivedAt),
      stageTimestamp: formatMicroTime(now()),
      ...(annotations.size === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    }
    const bodies =
      stage === 'RequestReceived'
        ? ''
        : `${this.#sent === undefined ? '' : `,"requestObject":${this.#sent}`}${this.#answered === undefined ? '' : `,"responseObject":${this.#answered}`}`
    emit(`${JSON.stringify(event).slice(0, -1)}${bodies}}`)
  }

  /** A refusal of a secret body may quote it, so that its words are not kept. */
  #statusOf(code: number): unknown {
    if (this.#status === undefined) return { metadata: {}, code }
    const { message, ...rest } = this.#status
    const mayQuote = bodiesAreSecret(this.#context.request.path) && (code === 400 || code === 422)
    return { metadata: {}, ...rest, ...(message === undefined || mayQuote ? {} : { message: redact(message) }), code }
  }
}

const textOf = (value: string | readonly string[] | undefined): string => (typeof value === 'string' ? value : (value?.[0] ?? ''))

const userOf = (user: UserInfo | undefined): unknown => (user === undefined ? {} : { ...user })

/** What proxies say of the sender, then the sender itself. */
function sourcesOf(headers: AuditedRequest['headers'], remoteAddress: string): readonly string[] {
  const forwarded = textOf(headers['x-forwarded-for'])
    .split(',', 16)
    .map((one) => one.trim())
    .filter((one) => /^[\da-f.:]{2,45}$/i.test(one))
  const own = remoteAddress.replace(/^::ffff:/, '')
  return own === '' || forwarded.at(-1) === own ? forwarded : [...forwarded, own]
}

const referenceOf = (path: Extract<AuditedRequest['path'], { isResource: true }>, name: string): unknown => ({
  resource: path.resource,
  ...(path.namespace === '' ? {} : { namespace: path.namespace }),
  ...(path.name === '' && name === '' ? {} : { name: path.name || redact(name) }),
  ...(path.group === '' ? {} : { apiGroup: path.group }),
  apiVersion: path.version,
  ...(path.subresource === '' ? {} : { subresource: path.subresource }),
})

interface Managed {
  metadata?: { managedFields?: unknown }
  items?: unknown
}

/** Changes the value that it is given, which nobody else has. */
function withoutManagedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { metadata, items } = value as Managed
  if (typeof metadata === 'object' && metadata !== null) delete metadata.managedFields
  if (Array.isArray(items)) for (const item of items) withoutManagedFields(item)
  return value
}
