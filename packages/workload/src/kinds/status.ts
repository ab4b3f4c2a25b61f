import type { GroupVersionKind, ObjectSubresource } from '@continuo/core'

/** The `status` subresource: replaces the status and leaves everything else as it is. */
export const statusSubresource = (
  kind: GroupVersionKind,
  verbs: ObjectSubresource['verbs'] = ['get', 'update', 'patch'],
): ObjectSubresource => ({
  type: 'object',
  name: 'status',
  kind,
  verbs,
  write(parent, body) {
    if (body.status === undefined) delete parent.status
    else parent.status = body.status
    return parent
  },
})
