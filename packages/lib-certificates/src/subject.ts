import type { Name } from '@peculiar/x509'
import { loadX509 } from './load-x509.ts'

/** Whom a certificate is for. As in Kubernetes, the common name is the user and the organizations are its groups. */
export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[]
}

/** One relative name for each attribute, organizations first, as client-go writes them. Values are given as typed strings: the library would parse plain ones for quotes and hashes. */
export const distinguishedName = (subject: Subject): Name =>
  new (loadX509().Name)([
    ...(subject.organizations ?? []).map((organization) => ({ O: [{ utf8String: organization }] })),
    { CN: [{ utf8String: subject.commonName }] },
  ])
