import { X509Certificate } from 'node:crypto'
import { alternativeNames, type KeyPair } from './authority.ts'
import { CertificateError } from './certificate-error.ts'
import { loadX509 } from './load-x509.ts'
import type { Subject } from './subject.ts'

/** What a certificate says. */
export interface CertificateFacts {
  readonly subject: Subject
  /** DNS names and addresses, in the form that `X509Certificate.checkHost` and `checkIP` understand. */
  readonly names: readonly string[]
  /** Wall milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
}

/** Reads a PEM certificate. Throws `CERT_INVALID`. */
export function inspectCertificate(pem: string): CertificateFacts {
  const x509 = loadX509()
  let certificate: import('@peculiar/x509').X509Certificate
  try {
    certificate = new x509.X509Certificate(pem)
  } catch (cause) {
    throw new CertificateError('CERT_INVALID', 'a certificate cannot be read', {
      hint: 'it must be an X.509 certificate in PEM form',
      cause,
    })
  }
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? []
  return {
    subject: {
      commonName: certificate.subjectName.getField('CN')[0] ?? '',
      organizations: certificate.subjectName.getField('O'),
    },
    names: names.map((name) => name.value),
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
  }
}

/** The same by Node's own parser, which is there already; of several common names the first. */
export function subjectOf(certificate: X509Certificate): Subject {
  const { CN, O } = certificate.toLegacyObject().subject as unknown as Readonly<Record<string, string | string[] | undefined>>
  return { commonName: [CN ?? ''].flat()[0] ?? '', organizations: [O ?? []].flat() }
}

/** What a kept certificate must still be. */
export interface Wanted {
  readonly authority?: KeyPair
  readonly subject: Subject
  readonly names?: readonly string[]
  /** Wall milliseconds. */
  readonly now: number
  /** Renew when less than this is left. */
  readonly renewBeforeMs: number
}

/** Why a certificate that lies on the disk must be made anew, or undefined when it serves. Pure. */
export function reasonToRenew(pair: KeyPair, wanted: Wanted): string | undefined {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pair.certificate)
  } catch {
    return 'it cannot be read'
  }
  const subject = subjectOf(certificate)
  const notAfter = certificate.validToDate
  if (wanted.now + wanted.renewBeforeMs >= notAfter.getTime()) return `it ends at ${notAfter.toISOString()}`
  if (subject.commonName !== wanted.subject.commonName) return `it is for ${JSON.stringify(subject.commonName)}`
  if ([...(subject.organizations ?? [])].sort().join('\n') !== [...(wanted.subject.organizations ?? [])].sort().join('\n'))
    return 'its organizations differ'
  if (wanted.authority !== undefined && !certificate.verify(new X509Certificate(wanted.authority.certificate).publicKey))
    return 'another authority signed it'
  const missing = alternativeNames(wanted.names ?? []).find(
    (name) => (name.type === 'ip' ? certificate.checkIP(name.value) : certificate.checkHost(name.value)) === undefined,
  )
  return missing === undefined ? undefined : `it does not name ${missing.value}`
}
