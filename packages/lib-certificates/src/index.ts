export {
  type AuthorityOptions,
  alternativeNames,
  createAuthority,
  issueCertificate,
  type KeyPair,
  type LeafOptions,
} from './authority.ts'
export * from './certificate-directory.ts'
export * from './certificate-error.ts'
export { type AlternativeName, type RequestFacts, readCertificateRequest, verifyCertificateRequest } from './certificate-request.ts'
export { type CertificateFacts, inspectCertificate, reasonToRenew, type Wanted } from './inspect.ts'
export * from './kubeconfig.ts'
export * from './sign-request.ts'
export * from './signing-request.ts'
export * from './subject.ts'
