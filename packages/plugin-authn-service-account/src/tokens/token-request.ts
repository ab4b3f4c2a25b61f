import {
  ApiError,
  type Clock,
  conflict,
  type FieldError,
  fieldError,
  formatTime,
  invalid,
  type Kind,
  notFound,
  type ObjectView,
  type Random,
  type SubresourceAction,
  type UnstructuredObject,
} from '@continuo/core'
import { type BoundObjectReference, Node, Pod, Secret, ServiceAccount, type TokenRequest, type TokenRequestSpec } from '@continuo/workload'
import type { BoundObjects } from './bound-objects.ts'
import { type AccountClaims, accountUser } from './claims.ts'
import type { TokenCodec } from './token-codec.ts'

const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' }
const defaultSeconds = 3_600
const shortestSeconds = 600
const longestSeconds = 2 ** 32

/** What is wrong with a request for a token. Pure. */
export function checkTokenRequest({ expirationSeconds = defaultSeconds }: TokenRequestSpec): readonly FieldError[] {
  const at = 'spec.expirationSeconds'
  if (expirationSeconds < shortestSeconds)
    return [fieldError.invalid(at, expirationSeconds, 'may not specify a duration less than 10 minutes')]
  if (expirationSeconds > longestSeconds)
    return [fieldError.invalid(at, expirationSeconds, 'may not specify a duration larger than 2^32 seconds')]
  return []
}

export interface TokenRequestOptions {
  readonly codec: TokenCodec
  readonly objects: BoundObjects
  readonly clock: Clock
  readonly random: Random
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly maxSeconds: number
}

/** Issues tokens: what a POST to `serviceaccounts/token` does. */
export class TokenRequests implements SubresourceAction {
  readonly #options: TokenRequestOptions

  constructor(options: TokenRequestOptions) {
    this.#options = options
  }

  async run({ ref, body }: Parameters<SubresourceAction['run']>[0]): Promise<UnstructuredObject> {
    const { codec, objects, clock, random, issuer, maxSeconds } = this.#options
    const { namespace, name } = ref
    const spec = (body as unknown as TokenRequest).spec ?? {}
    const faults = checkTokenRequest(spec)
    if (faults.length > 0) throw invalid(kind, body.metadata.name ?? '', faults)
    if (body.metadata.name && body.metadata.name !== name)
      throw new ApiError('BadRequest', `the name of the token request (${body.metadata.name}) does not match the service account (${name})`)
    const account = await objects.find(ServiceAccount, namespace, name)
    if (account === undefined) throw notFound(ServiceAccount, name)
    const bound = spec.boundObjectRef === undefined ? {} : await this.#bind(spec.boundObjectRef, namespace, name)
    const audiences = (spec.audiences ?? []).length === 0 ? [...this.#options.audiences] : [...(spec.audiences ?? [])]
    const expirationSeconds = Math.min(spec.expirationSeconds ?? defaultSeconds, maxSeconds)
    const iat = Math.floor(clock.now() / 1_000)
    const exp = iat + expirationSeconds
    const token = await codec.sign({
      aud: audiences,
      exp,
      iat,
      iss: issuer,
      jti: random.uuid(),
      'kubernetes.io': { namespace, serviceaccount: { name, uid: account.uid }, ...bound },
      nbf: iat,
      sub: accountUser(namespace, name),
    })
    return {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name, namespace, creationTimestamp: formatTime(clock.now()) },
      spec: { ...spec, audiences, expirationSeconds },
      status: { token, expirationTimestamp: formatTime(exp * 1_000) },
    }
  }

  async #bind(reference: BoundObjectReference, namespace: string, account: string): Promise<Partial<AccountClaims>> {
    const { name = '' } = reference
    const which = `${reference.apiVersion ?? 'v1'} ${reference.kind ?? ''}`
    if (which === 'v1 Pod') {
      const pod = await this.#bound(Pod, namespace, reference)
      const spec = (pod.object as unknown as Pod).spec
      if ((spec?.serviceAccountName ?? 'default') !== account)
        throw new ApiError(
          'BadRequest',
          `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
        )
      const node = spec?.nodeName ? await this.#options.objects.find(Node, '', spec.nodeName) : undefined
      return { pod: { name, uid: pod.uid }, ...(node === undefined ? {} : { node: { name: node.name, uid: node.uid } }) }
    }
    if (which === 'v1 Secret') return { secret: { name, uid: (await this.#bound(Secret, namespace, reference)).uid } }
    if (which === 'v1 Node') return { node: { name, uid: (await this.#bound(Node, '', reference)).uid } }
    throw new ApiError('BadRequest', `cannot bind token to object of type ${reference.apiVersion ?? ''}, Kind=${reference.kind ?? ''}`)
  }

  async #bound(of: Kind, namespace: string, { name = '', uid }: BoundObjectReference): Promise<ObjectView> {
    const found = await this.#options.objects.find(of, namespace, name)
    if (found === undefined) throw notFound(of, name)
    if (uid && uid !== found.uid)
      throw conflict(
        of,
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    return found
  }
}
