import { ApiError, type UserInfo } from '@continuo/core'
import type { AuthenticationRequest, Authenticator } from '@continuo/workload'

export const anonymous: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

const authenticatedGroup = 'system:authenticated'
const unauthorized = (): ApiError => new ApiError('Unauthorized', 'Unauthorized')

const withAuthenticated = (user: UserInfo): UserInfo =>
  user.groups?.includes(authenticatedGroup) === true ? user : { ...user, groups: [...(user.groups ?? []), authenticatedGroup] }

// One user object for each certificate object, which lives as long as its connection.
const users = new WeakMap<object, UserInfo>()

const userOf = (certificate: NonNullable<AuthenticationRequest['certificate']>): UserInfo => {
  const known = users.get(certificate)
  if (known !== undefined) return known
  const user = withAuthenticated({ username: certificate.commonName, groups: certificate.organizations })
  users.set(certificate, user)
  return user
}

/**
 * Who asks: by client certificate (CN is the user, O the groups), else by the first authenticator that knows the credential, else anonymous.
 * A bearer token that nobody knows is 401, never anonymous.
 */
export function authenticate(
  request: AuthenticationRequest,
  authenticators: Iterable<readonly [string, Authenticator]>,
): UserInfo | Promise<UserInfo> {
  if (request.certificate !== undefined) return userOf(request.certificate)
  return askAuthenticators(request, authenticators)
}

/** The user of the first authenticator that knows the credential; undefined when none does. Throws 401 for a bad one. */
export async function recognise(
  request: AuthenticationRequest,
  authenticators: Iterable<readonly [string, Authenticator]>,
): Promise<UserInfo | undefined> {
  for (const [, authenticator] of [...authenticators].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const user = await authenticator.authenticate(request)
    if (user !== undefined) return withAuthenticated(user)
  }
  return undefined
}

async function askAuthenticators(
  request: AuthenticationRequest,
  authenticators: Iterable<readonly [string, Authenticator]>,
): Promise<UserInfo> {
  const user = await recognise(request, authenticators)
  if (user !== undefined) return user
  if (request.headers.authorization !== undefined) throw unauthorized()
  return anonymous
}
