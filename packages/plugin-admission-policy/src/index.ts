export { mutatingAdmissionPolicy } from './mutating-admission-policy.ts'
export { validatingAdmissionPolicy, validatingAdmissionPolicy as default } from './validating-admission-policy.ts'
