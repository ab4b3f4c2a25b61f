export { serviceAccountAdmission } from './admission/service-account-admission.ts'
export { bootstrapTokens } from './bootstrap/bootstrap-tokens.ts'
export { serviceAccountTokens, serviceAccountTokens as default, tokensConfig } from './service-account-tokens.ts'
