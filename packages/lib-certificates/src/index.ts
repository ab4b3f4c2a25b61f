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
export * from './inspect.ts'
export * from './kubeconfig.ts'
export * from './signing-request.ts'
export * from './subject.ts'
