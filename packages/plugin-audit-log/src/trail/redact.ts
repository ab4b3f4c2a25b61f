import type { AuditedPath } from '@continuo/workload'

const hidden = '[redacted]'
const jsonWebToken = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g
const bearer = /\b(bearer\s+)[\w.~+/=-]{8,}/gi
const bootstrapToken = /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g
const queryToken = /([?&](?:access_token|token)=)[^&"\s\\]*/gi
/** The bearer token of a WebSocket's handshake, where a browser cannot set headers. */
const protocolToken = /base64url\.bearer\.authorization\.k8s\.io\.[\w.=-]+/g

/** Takes credentials out of a text, wherever they stand. Pure. */
export const redact = (text: string): string =>
  text
    .replace(jsonWebToken, hidden)
    .replace(bearer, `$1${hidden}`)
    .replace(bootstrapToken, hidden)
    .replace(queryToken, `$1${hidden}`)
    .replace(protocolToken, hidden)

const secretResources = new Set(['/secrets', 'authentication.k8s.io/tokenreviews'])

/** Resources whose bodies are secret: nothing of them is told at any level. Pure. */
export const bodiesAreSecret = (path: AuditedPath): boolean =>
  path.isResource &&
  (secretResources.has(`${path.group}/${path.resource}`) ||
    (path.group === '' && path.resource === 'serviceaccounts' && path.subresource === 'token'))
