import { ApiError, type UserInfo } from '@continuo/core'
import type { AccessAttributes, AuthenticationRequest } from '@continuo/workload'

const extraPrefix = 'impersonate-extra-'

const all = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? value.split(', ') : value

/** Keys are percent-encoded where a header's name cannot hold them; one that only looks so is taken as it is, as Kubernetes does. */
const decodeKey = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whom the request's `Impersonate-*` headers name; undefined without them. Throws 400 for groups or extras without a user. Pure. */
export function impersonatedUser(headers: AuthenticationRequest['headers']): UserInfo | undefined {
  const username = all(headers['impersonate-user'])[0]
  const groups = all(headers['impersonate-group'])
  const uid = all(headers['impersonate-uid'])[0]
  const extra: Record<string, readonly string[]> = {}
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith(extraPrefix)) extra[decodeKey(name.slice(extraPrefix.length))] = all(value)
  if (username === undefined || username === '') {
    if (groups.length > 0 || uid !== undefined || Object.keys(extra).length > 0)
      throw new ApiError('BadRequest', 'requested impersonation without a user: the header Impersonate-User is missing')
    return undefined
  }
  const group = username === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'
  return {
    username,
    ...(uid === undefined ? {} : { uid }),
    groups: groups.includes(group) ? groups : [...groups, group],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
}

/** What the real user must be allowed for it: one question for the user, each group, the uid and each extra. Pure. */
export function impersonationAttributes(real: UserInfo, wanted: UserInfo): readonly AccessAttributes[] {
  const question = (resource: string, name: string, more: Partial<AccessAttributes> = {}): AccessAttributes => ({
    user: real,
    verb: 'impersonate',
    isResource: true,
    group: '',
    version: 'v1',
    resource,
    subresource: '',
    namespace: '',
    name,
    path: '',
    ...more,
  })
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(wanted.username)
  const implied = new Set(['system:authenticated', 'system:unauthenticated'])
  return [
    account === null
      ? question('users', wanted.username)
      : question('serviceaccounts', account[2] as string, { namespace: account[1] as string }),
    ...(wanted.groups ?? []).filter((group) => !implied.has(group)).map((group) => question('groups', group)),
    ...(wanted.uid === undefined ? [] : [question('uids', wanted.uid, { group: 'authentication.k8s.io' })]),
    ...Object.entries(wanted.extra ?? {}).flatMap(([key, values]) =>
      values.map((value) => question('userextras', value, { group: 'authentication.k8s.io', subresource: key })),
    ),
  ]
}
