import { ContinuoError } from '@continuo/core'

/** What can go wrong with certificates. Codes: `CERT_UNREADABLE`, `CERT_INVALID`, `CERT_REFUSED`, `CERT_NOT_WRITABLE`. */
export class CertificateError extends ContinuoError {}
