import { randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority, issueCertificate, type KeyPair, type LeafOptions } from './authority.ts'
import { CertificateError } from './certificate-error.ts'
import { reasonToRenew } from './inspect.ts'

export interface EnsureAuthorityOptions {
  readonly commonName: string
  /** Wall milliseconds. */
  readonly now: number
  /** Default 10 years. */
  readonly validDays?: number
}

export interface EnsureCertificateOptions extends Omit<LeafOptions, 'validDays'> {
  /** Default 1 year. */
  readonly validDays?: number
  /** Renew when fewer days are left. Default 30. */
  readonly renewBeforeDays?: number
}

/** A pair as it lies on the disk, and whether this call made it. */
export interface EnsuredPair extends KeyPair {
  readonly created: boolean
  readonly certificateFile: string
  readonly keyFile: string
}

const dayMs = 86_400_000

async function readPair(certificateFile: string, keyFile: string): Promise<KeyPair | undefined> {
  try {
    const [certificate, privateKey] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')])
    return { certificate, privateKey }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CertificateError('CERT_UNREADABLE', `cannot read ${certificateFile} and ${keyFile}: ${(cause as Error).message}`, {
      hint: 'make both readable for the user that runs this process',
      cause,
    })
  }
}

/** Writes whole or not at all, readable by the owner alone, and on the disk when it resolves. Throws `CERT_NOT_WRITABLE`. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (cause) {
    throw new CertificateError('CERT_NOT_WRITABLE', `cannot write ${file}: ${(cause as Error).message}`, {
      hint: 'the data directory must be writable',
      cause,
    })
  }
}

/**
 * A directory that holds an authority and the certificates that it signed: `<name>.crt` and `<name>.key`, mode 0600.
 * What is there and still serves is kept, so that certificates are stable over restarts; everything else is made anew.
 * One process owns a directory at a time; nothing here locks it.
 */
export class CertificateDirectory {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** The authority, made at the first call. An expired authority is an error of the operator's to solve, for its clients hold it. */
  async ensureAuthority(options: EnsureAuthorityOptions): Promise<EnsuredPair> {
    const subject = { commonName: options.commonName }
    const kept = await this.#read('ca')
    if (kept !== undefined) {
      const reason = reasonToRenew(kept, { subject, now: options.now, renewBeforeMs: 0 })
      if (reason === undefined) return kept
      throw new CertificateError('CERT_INVALID', `the certificate authority in ${kept.certificateFile} cannot be used: ${reason}`, {
        hint: `move ${this.path} away to begin with a new authority; every client needs a new kubeconfig then`,
      })
    }
    return this.#write(
      'ca',
      await createAuthority({ commonName: options.commonName, now: options.now, validDays: options.validDays ?? 3650 }),
    )
  }

  /** The certificate of that name, renewed when it is near its end, names too little, or comes from another authority. */
  async ensureCertificate(name: string, authority: KeyPair, options: EnsureCertificateOptions): Promise<EnsuredPair> {
    const kept = await this.#read(name)
    const wanted = {
      authority,
      subject: options.subject,
      names: options.names,
      now: options.now,
      renewBeforeMs: (options.renewBeforeDays ?? 30) * dayMs,
    }
    if (kept !== undefined && reasonToRenew(kept, wanted) === undefined) return kept
    return this.#write(name, await issueCertificate(authority, { ...options, validDays: options.validDays ?? 365 }))
  }

  #files(name: string): { readonly certificateFile: string; readonly keyFile: string } {
    return { certificateFile: join(this.path, `${name}.crt`), keyFile: join(this.path, `${name}.key`) }
  }

  async #read(name: string): Promise<EnsuredPair | undefined> {
    const files = this.#files(name)
    const pair = await readPair(files.certificateFile, files.keyFile)
    return pair === undefined ? undefined : { ...pair, ...files, created: false }
  }

  async #write(name: string, pair: KeyPair): Promise<EnsuredPair> {
    const files = this.#files(name)
    await mkdir(this.path, { recursive: true, mode: 0o700 }).catch((cause: Error) => {
      throw new CertificateError('CERT_NOT_WRITABLE', `cannot create ${this.path}: ${cause.message}`, {
        hint: 'the data directory must be writable',
        cause,
      })
    })
    await chmod(this.path, 0o700)
    // The key first: a certificate whose key is missing would count as absent, a key without certificate too.
    await writePrivate(files.keyFile, pair.privateKey)
    await writePrivate(files.certificateFile, pair.certificate)
    return { ...pair, ...files, created: true }
  }
}
