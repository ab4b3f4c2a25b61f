import type { KeyUsageFlags } from '@peculiar/x509'
import { loadX509 } from './load-x509.ts'

/** What a word for a usage puts into a certificate: a bit of the key's usage, or a purpose. */
type Usage = { readonly flag: keyof typeof KeyUsageFlags } | { readonly purpose: string }

const flag = (flag: keyof typeof KeyUsageFlags): Usage => ({ flag })
const purpose = (purpose: string): Usage => ({ purpose })

/** The words by which `certificates.k8s.io` names usages. */
const usages: ReadonlyMap<string, Usage> = new Map([
  ['signing', flag('digitalSignature')],
  ['digital signature', flag('digitalSignature')],
  ['content commitment', flag('nonRepudiation')],
  ['key encipherment', flag('keyEncipherment')],
  ['data encipherment', flag('dataEncipherment')],
  ['key agreement', flag('keyAgreement')],
  ['cert sign', flag('keyCertSign')],
  ['crl sign', flag('cRLSign')],
  ['encipher only', flag('encipherOnly')],
  ['decipher only', flag('decipherOnly')],
  ['any', purpose('2.5.29.37.0')],
  ['server auth', purpose('1.3.6.1.5.5.7.3.1')],
  ['client auth', purpose('1.3.6.1.5.5.7.3.2')],
  ['code signing', purpose('1.3.6.1.5.5.7.3.3')],
  ['email protection', purpose('1.3.6.1.5.5.7.3.4')],
  ['s/mime', purpose('1.3.6.1.5.5.7.3.4')],
  ['ipsec end system', purpose('1.3.6.1.5.5.7.3.5')],
  ['ipsec tunnel', purpose('1.3.6.1.5.5.7.3.6')],
  ['ipsec user', purpose('1.3.6.1.5.5.7.3.7')],
  ['timestamping', purpose('1.3.6.1.5.5.7.3.8')],
  ['ocsp signing', purpose('1.3.6.1.5.5.7.3.9')],
  ['microsoft sgc', purpose('1.3.6.1.4.1.311.10.3.3')],
  ['netscape sgc', purpose('2.16.840.1.113730.4.1')],
])

export interface KeyUsages {
  /** Bits of the key usage extension; 0 for none. */
  readonly flags: number
  /** Object identifiers of the extended key usage extension. */
  readonly purposes: readonly string[]
}

/** What the words say together; undefined when one of them is unknown. Pure. */
export function keyUsagesOf(words: readonly string[]): KeyUsages | undefined {
  let flags = 0
  const purposes = new Set<string>()
  for (const word of words) {
    const usage = usages.get(word)
    if (usage === undefined) return undefined
    if ('flag' in usage) flags |= loadX509().KeyUsageFlags[usage.flag]
    else purposes.add(usage.purpose)
  }
  return { flags, purposes: [...purposes] }
}
