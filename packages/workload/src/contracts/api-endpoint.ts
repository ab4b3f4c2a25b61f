import { capability } from '@continuo/core'

/** A certificate with its private key, both PEM. */
export interface ClientCredential {
  readonly certificate: string
  readonly privateKey: string
}

/** Where and how clients reach the API of this process. */
export interface ApiEndpoint {
  /** As `https://127.0.0.1:6443`, with the port that was taken. Known from the start group `servers` on; throws `API_NOT_LISTENING` before. */
  readonly url: string
  /** PEM of the authority that signed the server's certificate. Undefined when the API speaks plain HTTP. */
  readonly authority?: string
  /** Certificate of `continuo-admin` in `system:masters`. Undefined for plain HTTP. */
  readonly admin?: ClientCredential
  /** Signs a client certificate: for agents and controllers that run elsewhere. Throws `API_NO_AUTHORITY` for plain HTTP. */
  issue(user: { readonly name: string; readonly groups: readonly string[] }, validDays: number): Promise<ClientCredential>
}

export const ApiEndpointCap = capability<ApiEndpoint>('api-endpoint/v1')

/**
 * Headers by which a client of this framework tells the API more than Kubernetes' API has words for.
 * The server reads them from authenticated callers; they never weaken a request.
 */
export const continuoHeaders = {
  /** Id of the decision that led to the request. */
  cause: 'continuo-cause',
  /** A leader's epoch as {@link formatFence} writes it: the request is refused with 409 when it is over. */
  fence: 'continuo-fence',
  /** On a deletion: the answer is the object as it was last, also when it is gone, where Kubernetes answers with a Status. */
  returnDeleted: 'continuo-return-deleted',
} as const

interface FenceText {
  readonly group: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly resourceVersion: string
}

/** `group/resource/namespace/name/resourceVersion`, each percent-encoded. */
export const formatFence = (fence: FenceText): string =>
  [fence.group, fence.resource, fence.namespace, fence.name, fence.resourceVersion].map(encodeURIComponent).join('/')

/** The inverse of {@link formatFence}; undefined for anything else. */
export function parseFence(text: string): FenceText | undefined {
  const parts = text.split('/')
  if (parts.length !== 5) return undefined
  try {
    const [group, resource, namespace, name, resourceVersion] = parts.map(decodeURIComponent) as [string, string, string, string, string]
    return resource === '' || name === '' || resourceVersion === '' ? undefined : { group, resource, namespace, name, resourceVersion }
  } catch {
    return undefined
  }
}
