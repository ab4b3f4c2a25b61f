import { readFile } from 'node:fs/promises'
import type { Clock } from '@continuo/core'
import type { TlsMaterial } from '../transport/http2-connection.ts'
import { TransportError } from '../transport/transport.ts'
import type { ConnectionSettings, Material } from './connection-settings.ts'

/** Time after which a token's file is read again, as Kubernetes' clients do. */
const tokenMaxAgeMs = 60_000
/** Longest token, certificate or key that is read. */
const maxBytes = 1024 * 1024

const readText = async (material: Material, what: string): Promise<string> => {
  if ('text' in material) return material.text
  try {
    const text = await readFile(material.file, 'utf8')
    if (text.length > maxBytes) throw Object.assign(new TransportError('CLIENT_UNREACHABLE', 'too long'), { code: 'EFBIG' })
    return text
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new TransportError('CLIENT_UNREACHABLE', `the ${what} in ${material.file} cannot be read: ${code}`, {
      hint: 'check that the file is there and may be read',
    })
  }
}

const isSameFile = (one: Material | undefined, other: Material | undefined): boolean =>
  one !== undefined && other !== undefined && 'file' in one && 'file' in other && one.file === other.file

/** Gives out what a connection and a request need to say who asks. Files are read anew, so that they can be renewed while the client runs. */
export class Credentials {
  readonly #settings: ConnectionSettings
  readonly #clock: Clock
  #token: string | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<string | undefined> | undefined

  constructor(settings: ConnectionSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
  }

  /** TLS of a new connection, from the files as they are now. Throws `CLIENT_UNREACHABLE`. */
  async tls(): Promise<TlsMaterial> {
    const { ca, cert, key, tlsServerName } = this.#settings
    const read = async (name: string, material: Material | undefined): Promise<string | undefined> =>
      material === undefined ? undefined : readText(material, name)
    const [caText, certText, keyText] = await Promise.all([
      read('authority', ca),
      read('client certificate', cert),
      // One file for both is read once: it may be replaced just now, and they must match.
      isSameFile(cert, key) ? undefined : read('client key', key),
    ])
    const keyOf = isSameFile(cert, key) ? certText : keyText
    return {
      ...(caText === undefined ? {} : { ca: caText }),
      ...(certText === undefined ? {} : { cert: certText }),
      ...(keyOf === undefined ? {} : { key: keyOf }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
    }
  }

  /** The bearer token, at most a minute old; undefined without one. A file that cannot be read for once leaves the last token in use. */
  async token(): Promise<string | undefined> {
    const { token } = this.#settings
    if (token === undefined) return undefined
    const fresh = this.#token !== undefined && ('text' in token || this.#clock.monotonic() - this.#readAt < tokenMaxAgeMs)
    if (fresh) return this.#token
    this.#reading ??= this.#readToken(token).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** The server refused the token. True when a newer one may be in its file. */
  refused(): boolean {
    const { token } = this.#settings
    if (token === undefined || 'text' in token) return false
    this.#readAt = Number.NEGATIVE_INFINITY
    return true
  }

  /** Takes the token out of a text that came from elsewhere. */
  redact(text: string): string {
    return this.#token === undefined ? text : text.replaceAll(this.#token, '[redacted]')
  }

  async #readToken(material: Material): Promise<string> {
    try {
      this.#token = checkToken((await readText(material, 'token')).trim())
    } catch (error) {
      if (this.#token === undefined) throw error
      return this.#token
    }
    this.#readAt = this.#clock.monotonic()
    return this.#token
  }
}

/** Refuses what would not survive in a header. The token is never repeated. */
function checkToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new TransportError('CLIENT_UNREACHABLE', token === '' ? 'the token is empty' : 'the token holds characters that no token has', {
    hint: 'check `token` or `tokenFile`',
  })
}
