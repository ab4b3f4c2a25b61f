import { ApiError, ExpiredContinueError, reasonCodes, type StatusCause, type StatusDetails, type StatusReason } from '@continuo/core'

/** Characters of a server's message that are kept. */
const maxMessage = 16 * 1024
const maxCauses = 256

const byCode: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'ServiceUnavailable',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** The reason that a bare HTTP code stands for. */
export const reasonOf = (code: number): StatusReason => byCode[code] ?? (code >= 400 && code < 500 ? 'BadRequest' : 'InternalError')

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value.slice(0, maxMessage) : undefined)

/** Is it the body of a Kubernetes error? */
export const isStatus = (value: unknown): value is Fields => isFields(value) && value.kind === 'Status'

/** Keeps only what is set. */
const compact = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T

function causesOf(value: unknown): readonly StatusCause[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value
    .slice(0, maxCauses)
    .filter(isFields)
    .map((cause) => compact({ reason: text(cause.reason), message: text(cause.message), field: text(cause.field) }))
}

function detailsOf(value: unknown, retryAfterSeconds: number | undefined): StatusDetails | undefined {
  const fields = isFields(value) ? value : undefined
  const own = typeof fields?.retryAfterSeconds === 'number' && fields.retryAfterSeconds > 0 ? fields.retryAfterSeconds : retryAfterSeconds
  if (fields === undefined && own === undefined) return undefined
  return compact({
    name: text(fields?.name),
    group: text(fields?.group),
    kind: text(fields?.kind),
    uid: text(fields?.uid),
    causes: causesOf(fields?.causes),
    retryAfterSeconds: own,
  })
}

export interface StatusContext {
  /** Of the HTTP answer; taken when the Status itself says nothing. */
  readonly code?: number
  readonly retryAfterSeconds?: number
  /** Takes secrets out of the server's words. */
  readonly redact?: (text: string) => string
}

/** The error that a `Status` body stands for: what the server threw, as far as it goes over the wire. Pure. */
export function statusError(status: Fields, { code, retryAfterSeconds, redact = (words) => words }: StatusContext = {}): ApiError {
  const number = typeof status.code === 'number' && status.code >= 400 && status.code < 600 ? status.code : (code ?? 500)
  const named = text(status.reason)
  const reason = named !== undefined && Object.hasOwn(reasonCodes, named) ? (named as StatusReason) : reasonOf(number)
  const token = isFields(status.metadata) ? text(status.metadata.continue) : undefined
  if (reason === 'Expired' && token !== undefined) return new ExpiredContinueError(token)
  const message = redact(text(status.message) ?? `the server answered ${number} ${named ?? ''}`.trim())
  return new ApiError(reason, message, detailsOf(status.details, retryAfterSeconds), { status: number })
}

/** The error for an answer whose body is no Status: of a proxy, or of something that is no API at all. Its words are not repeated. */
export function foreignError(code: number, contentType: string | undefined, retryAfterSeconds: number | undefined): ApiError {
  const details = detailsOf(undefined, retryAfterSeconds)
  if (code >= 300 && code < 400) {
    return new ApiError('InternalError', `the server answered with a redirect (${code}), which is not followed`, details, {
      hint: 'check that `server` is the address of the API itself',
    })
  }
  const shown = contentType === undefined ? 'nothing' : (contentType.split(';', 1)[0] as string).replace(/[^\w/.+-]/g, '?').slice(0, 80)
  return new ApiError(reasonOf(code), `the server answered ${code} with ${shown} instead of a Status`, details, {
    status: code >= 400 && code < 600 ? code : undefined,
    hint: 'something between this client and the API may have answered: check `server`',
  })
}

/** Seconds of a `Retry-After` header; undefined for a date or anything else. */
export function readRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined
}
