export { defaultClusterRoleBindings } from './defaults/cluster-role-bindings.ts'
export { defaultClusterRoles } from './defaults/cluster-roles.ts'
export { nodeAuthorizer } from './node/node-authorizer.ts'
export { rbac, rbac as default } from './rbac.ts'
export {
  LocalSubjectAccessReview,
  reviewResources,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  TokenReview,
} from './reviews/review-kinds.ts'
export { reviews } from './reviews/reviews.ts'
