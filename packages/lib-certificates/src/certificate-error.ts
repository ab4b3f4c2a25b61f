/** What can go wrong with certificates. Codes: `CERT_UNREADABLE`, `CERT_INVALID`, `CERT_NOT_WRITABLE`. */
export class CertificateError extends Error {
  readonly code: string
  readonly hint?: string

  constructor(code: string, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CertificateError'
    this.code = code
    this.hint = options.hint
  }
}
