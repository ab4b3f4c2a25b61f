export { limitRanger } from './limit-ranger/limit-ranger.ts'
export { podSecurity, podSecurityConfig } from './pod-security/pod-security.ts'
export { priority } from './priority/priority.ts'
export { resourceQuota } from './resource-quota/resource-quota.ts'
