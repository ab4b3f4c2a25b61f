import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { createRequire } from 'node:module'

type X509 = typeof import('@peculiar/x509')

/** The library that makes certificates. Its 170 modules are loaded with the first certificate: a process that keeps its own needs none. */
export function loadX509(): X509 {
  const x509: X509 = createRequire(import.meta.url)('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<X509['cryptoProvider']['set']>[0])
  return x509
}
