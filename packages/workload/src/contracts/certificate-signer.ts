import { capability } from '@continuo/core'

/** A certificate to be made. */
export interface CertificateOrder {
  /** PKCS #10 in PEM form: its key, subject and alternative names are taken over as they stand. */
  readonly request: string
  /** Words of `certificates.k8s.io`, as `client auth`. */
  readonly usages: readonly string[]
  /** Wall milliseconds. The certificate ends then, or with its authority if that is sooner. */
  readonly notAfter: number
}

/**
 * Signs with the key of the authority that this cluster's API trusts (`cluster-ca/v1`), and keeps the key to itself.
 * What it signs is never an authority. Whether somebody may have what they ask for is for its caller to decide.
 */
export interface CertificateSigner {
  /** The certificate (PEM). Throws `CERT_INVALID` and `CERT_REFUSED` for a request that nobody could sign as it is. */
  sign(order: CertificateOrder): Promise<string>
}

export const CertificateSignerCap = capability<CertificateSigner>('certificate-signer/v1')
