import { type FieldError, fieldError, type UserInfo } from '@continuo/core'
import type {
  AccessAttributes,
  AccessDecision,
  NonResourceAttributes,
  ResourceAttributes,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from '@continuo/workload'

export interface AccessQuestion {
  readonly resourceAttributes?: ResourceAttributes
  readonly nonResourceAttributes?: NonResourceAttributes
}

/** What is wrong with the question of an access review. Pure. */
export function checkQuestion({ resourceAttributes, nonResourceAttributes }: AccessQuestion): readonly FieldError[] {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined)
    return [
      fieldError.invalid('spec.nonResourceAttributes', nonResourceAttributes, 'cannot be specified in combination with resourceAttributes'),
    ]
  if (resourceAttributes === undefined && nonResourceAttributes === undefined)
    return [
      fieldError.invalid(
        'spec.resourceAttributes',
        undefined,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    ]
  return []
}

/** What is wrong with the subject of an access review. Pure. */
export const checkSubject = ({ user, groups }: SubjectAccessReviewSpec): readonly FieldError[] =>
  user || (groups ?? []).length > 0 ? [] : [fieldError.invalid('spec.user', user ?? '', 'at least one of user or group must be specified')]

/** What a review in a namespace may not ask. Pure. */
export function checkLocal({ resourceAttributes, nonResourceAttributes }: AccessQuestion, namespace: string): readonly FieldError[] {
  if (nonResourceAttributes !== undefined)
    return [fieldError.invalid('spec.nonResourceAttributes', nonResourceAttributes, 'disallowed on this kind of request')]
  const asked = resourceAttributes?.namespace ?? ''
  return asked === namespace ? [] : [fieldError.invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace')]
}

/** The question as authorizers get it. Pure. */
export function attributesOfQuestion(
  user: UserInfo,
  { resourceAttributes: asked, nonResourceAttributes: path }: AccessQuestion,
): AccessAttributes {
  return {
    user,
    verb: asked?.verb ?? path?.verb ?? '',
    isResource: asked !== undefined,
    group: asked?.group ?? '',
    version: asked?.version ?? '',
    resource: asked?.resource ?? '',
    subresource: asked?.subresource ?? '',
    namespace: asked?.namespace ?? '',
    name: asked?.name ?? '',
    path: path?.path ?? '',
    fieldSelector: asked?.fieldSelector?.rawSelector,
    labelSelector: asked?.labelSelector?.rawSelector,
  }
}

/** The user that a review speaks of. */
export const userOf = ({ user = '', groups, uid, extra }: SubjectAccessReviewSpec): UserInfo => ({
  username: user,
  ...(groups === undefined ? {} : { groups }),
  ...(uid === undefined ? {} : { uid }),
  ...(extra === undefined ? {} : { extra }),
})

export const statusOf = ({ decision, reason }: AccessDecision): SubjectAccessReviewStatus => ({
  allowed: decision === 'allow',
  ...(decision === 'deny' ? { denied: true } : {}),
  ...(reason === undefined || reason === '' ? {} : { reason }),
})
