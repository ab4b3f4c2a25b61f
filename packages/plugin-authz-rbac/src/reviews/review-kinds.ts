import { defineResource, type Kind, type KubeObject, kind, type ResourceDefinition } from '@continuo/core'
import {
  type LocalSubjectAccessReview as LocalSubjectAccessReviewObject,
  type SelfSubjectAccessReview as SelfSubjectAccessReviewObject,
  type SelfSubjectReview as SelfSubjectReviewObject,
  type SelfSubjectRulesReview as SelfSubjectRulesReviewObject,
  type SubjectAccessReview as SubjectAccessReviewObject,
  schemaOf,
  type TokenReview as TokenReviewObject,
} from '@continuo/workload'

const authorization = 'authorization.k8s.io'
const authentication = 'authentication.k8s.io'

const review = <T extends KubeObject>(group: string, name: T['kind'], namespaced = false): Kind<T> =>
  kind<T>({ group, version: 'v1', kind: name, resource: `${name.toLowerCase()}s`, namespaced })

export type SubjectAccessReview = SubjectAccessReviewObject
export const SubjectAccessReview = review<SubjectAccessReview>(authorization, 'SubjectAccessReview')
export type LocalSubjectAccessReview = LocalSubjectAccessReviewObject
export const LocalSubjectAccessReview = review<LocalSubjectAccessReview>(authorization, 'LocalSubjectAccessReview', true)
export type SelfSubjectAccessReview = SelfSubjectAccessReviewObject
export const SelfSubjectAccessReview = review<SelfSubjectAccessReview>(authorization, 'SelfSubjectAccessReview')
export type SelfSubjectRulesReview = SelfSubjectRulesReviewObject
export const SelfSubjectRulesReview = review<SelfSubjectRulesReview>(authorization, 'SelfSubjectRulesReview')
export type TokenReview = TokenReviewObject
export const TokenReview = review<TokenReview>(authentication, 'TokenReview')
export type SelfSubjectReview = SelfSubjectReviewObject
export const SelfSubjectReview = review<SelfSubjectReview>(authentication, 'SelfSubjectReview')

const kinds: readonly Kind[] = [
  SubjectAccessReview,
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  TokenReview,
  SelfSubjectReview,
]

/** Reviews are answered and never stored: only POST exists. */
export const reviewResources: readonly ResourceDefinition[] = kinds.map((one) =>
  defineResource({
    group: one.group,
    plural: one.resource,
    kind: one.kind,
    namespaced: one.namespaced,
    verbs: ['create'],
    virtual: true,
    storageVersion: one.version,
    versions: [{ name: one.version, schema: () => schemaOf(`io.k8s.api.${one.group.split('.')[0]}.v1.${one.kind}`) }],
  }),
)
