import type { UserInfo } from '@continuo/core'
import type { AccessAttributes } from '@continuo/workload'

export const ann: UserInfo = { username: 'ann', groups: ['team', 'system:authenticated'] }

/** A question in short: `get apps deployments/scale shop/web`, `core` for the group without a name, `-` for no namespace. */
export function asks(text: string, user: UserInfo = ann): AccessAttributes {
  const [verb = '', group = '', resource = '', at = ''] = text.split(' ')
  const [plural = '', subresource = ''] = resource.split('/')
  const [namespace = '', name = ''] = at.split('/')
  return {
    user,
    verb,
    isResource: true,
    group: group === 'core' ? '' : group,
    version: 'v1',
    resource: plural,
    subresource,
    namespace: namespace === '-' ? '' : namespace,
    name,
    path: '',
  }
}

export const asksPath = (verb: string, path: string, user: UserInfo = ann): AccessAttributes => ({
  ...asks(verb, user),
  isResource: false,
  path,
})
