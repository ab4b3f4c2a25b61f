export { certificateAdmission } from './admission/certificate-admission.ts'
export { csrApproval } from './approval/csr-approval.ts'
export { csrSigning } from './signing/csr-signing.ts'
