import {
  ApiError,
  definePlugin,
  type FieldError,
  invalid,
  type Kind,
  type KubeObject,
  type SubresourceAction,
  SubresourceActionCap,
  type UnstructuredObject,
  type UserInfo,
} from '@continuo/core'
import { AccessGateCap, AccessRulesCap, AuthorizerCap } from '@continuo/workload'
import { type AccessQuestion, attributesOfQuestion, checkLocal, checkQuestion, checkSubject, statusOf, userOf } from './access-review.ts'
import {
  LocalSubjectAccessReview,
  reviewResources,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  TokenReview,
} from './review-kinds.ts'
import { rulesStatus } from './rules-review.ts'
import { reviewToken, shownUser } from './token-review.ts'

interface Asked<T> {
  readonly body: T
  readonly namespace: string
  readonly user: UserInfo
}

/** An action that answers with its body and a status; a review has no name of its own, and one that asks nothing has an empty question. */
const answering = <T extends KubeObject>(status: (asked: Asked<T>) => object | Promise<object>): SubresourceAction => ({
  async run({ ref, body, caller }) {
    const answer = await status({ body: { ...body, spec: body.spec ?? {} } as unknown as T, namespace: ref.namespace, user: caller.user })
    const { name, namespace: _namespace, ...metadata } = body.metadata
    return {
      ...body,
      metadata: { ...metadata, ...(name ? { name } : {}), ...(ref.namespace === '' ? {} : { namespace: ref.namespace }) },
      status: answer,
    } as UnstructuredObject
  },
})

const refuse = (kind: Kind, faults: readonly FieldError[]): void => {
  if (faults.length > 0) throw invalid(kind, '', faults)
}

/**
 * The reviews: what somebody may do, what I may do, who I am, whose token this is. Answered by the very gate that decides about
 * requests, never stored.
 */
export const reviews = definePlugin({
  name: 'reviews',
  api: '^1',
  requires: { gate: AccessGateCap, authorizers: AuthorizerCap, rules: AccessRulesCap },
  provides: [SubresourceActionCap],
  kinds: reviewResources,
  setup(ctx) {
    const { gate, rules, authorizers } = ctx.use
    const answer = <T extends KubeObject>(kind: Kind<T>, status: (asked: Asked<T>) => object | Promise<object>): void =>
      ctx.provide(SubresourceActionCap, answering(status), `${kind.group}/${kind.resource}/`)
    const decide = async (user: UserInfo, question: AccessQuestion) => statusOf(await gate.authorize(attributesOfQuestion(user, question)))

    answer(SubjectAccessReview, ({ body: { spec } }) => {
      refuse(SubjectAccessReview, [...checkQuestion(spec), ...checkSubject(spec)])
      return decide(userOf(spec), spec)
    })
    answer(LocalSubjectAccessReview, ({ body: { spec }, namespace }) => {
      refuse(LocalSubjectAccessReview, [...checkQuestion(spec), ...checkSubject(spec), ...checkLocal(spec, namespace)])
      return decide(userOf(spec), spec)
    })
    answer(SelfSubjectAccessReview, ({ body: { spec }, user }) => {
      refuse(SelfSubjectAccessReview, checkQuestion(spec))
      return decide(user, spec)
    })
    answer(SelfSubjectRulesReview, ({ body: { spec }, user }) => {
      if (!spec.namespace) throw new ApiError('BadRequest', 'no namespace on request')
      return rulesStatus(user, spec.namespace, rules, authorizers.keys())
    })
    answer(SelfSubjectReview, ({ user }) => ({ userInfo: shownUser(user) }))
    answer(TokenReview, ({ body: { spec } }) => {
      if (!spec?.token) throw new ApiError('BadRequest', 'token is required for TokenReview in authentication')
      return reviewToken(gate, spec.token, spec.audiences ?? [])
    })
  },
})
