import { createHash } from 'node:crypto'
import type { Store, StoreEntry } from './store.ts'
import { StoreError } from './store-error.ts'

const format = 'continuo-snapshot'
const version = 1
const pageSize = 200
/** Characters of a line: an entry of the largest value that any store takes has a fraction of it. */
const longestLine = 16 << 20

/**
 * How far a restored store begins above its snapshot: more than a store can have issued between the snapshot and its loss
 * (ten thousand a second for eleven days), and few enough to restore hundreds of thousands of times.
 */
export const restoreGap = 10_000_000_000

/** What a snapshot says about itself, in its first line. */
export interface SnapshotHeader {
  /** The revision of the store that it shows. */
  readonly revision: number
  /** Added to every revision by whoever issues resource versions: all that were issued up to the snapshot are at most `base + revision`. */
  readonly base: number
}

/**
 * The whole state of a store at one revision, in the portable form: lines of JSON, first the header, then each entry in the order
 * of its key with its value in base64, last the number of entries and the SHA-256 of all lines before. Reads page by page while the store goes on.
 */
export async function* writeSnapshot(store: Store, { base = 0 }: { readonly base?: number } = {}): AsyncGenerator<string, void, undefined> {
  const hash = createHash('sha256')
  const line = (value: unknown): string => {
    const text = `${JSON.stringify(value)}\n`
    hash.update(text)
    return text
  }
  let page = await store.list('', { limit: pageSize })
  const { revision } = page
  let entries = 0
  yield line({ format, version, revision, base })
  while (page.entries.length > 0) {
    yield page.entries.map((entry) => line({ ...entry, value: Buffer.from(entry.value).toString('base64') })).join('')
    entries += page.entries.length
    const startKey = `${page.entries.at(-1)?.key}\u0001`
    if (page.count === page.entries.length) break
    page = await store.list('', { startKey, limit: pageSize, revision })
  }
  yield `${JSON.stringify({ entries, sha256: hash.digest('hex') })}\n`
}

/**
 * Reads a snapshot: the header first, then its entries. What was yielded counts only once the end is reached:
 * a damaged or truncated snapshot throws `STORE_CORRUPT` there, one of a newer format `STORE_FORMAT` at its beginning.
 */
export async function* readSnapshot(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<SnapshotHeader | StoreEntry, void, undefined> {
  const hash = createHash('sha256')
  let entries = -1
  let complete = false
  for await (const text of lines(chunks)) {
    if (complete) throw damaged('it goes on behind its end')
    const value = parse(text)
    if (entries === -1) yield header(value)
    else if (typeof value.sha256 === 'string') {
      if (value.sha256 !== hash.digest('hex') || value.entries !== entries) throw damaged('its checksum does not match')
      complete = true
      continue
    } else yield entry(value)
    entries++
    hash.update(`${text}\n`)
  }
  if (!complete) throw damaged('its end is missing')
}

const damaged = (reason: string, cause?: unknown): StoreError =>
  new StoreError('STORE_CORRUPT', `the snapshot is damaged: ${reason}`, { hint: 'Use another snapshot; nothing was restored.', cause })

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw damaged('a line is no JSON', cause)
  }
  throw damaged('a line is no object')
}

function header(value: Record<string, unknown>): SnapshotHeader {
  if (value.format !== format) throw new StoreError('STORE_FORMAT', 'this is no snapshot of a store')
  if (value.version !== version) {
    const hint = 'Restore it with the release that wrote it, or a newer one.'
    throw new StoreError('STORE_FORMAT', `the snapshot has format ${value.version}, this release reads ${version}`, { hint })
  }
  if (!Number.isSafeInteger(value.revision) || !Number.isSafeInteger(value.base)) throw damaged('its header lacks the revision')
  return { revision: value.revision as number, base: value.base as number }
}

function entry({ key, value, createRevision, modRevision }: Record<string, unknown>): StoreEntry {
  if (typeof key !== 'string' || typeof value !== 'string' || !Number.isSafeInteger(createRevision) || !Number.isSafeInteger(modRevision)) {
    throw damaged('an entry is incomplete')
  }
  return {
    key,
    value: new Uint8Array(Buffer.from(value, 'base64')),
    createRevision: createRevision as number,
    modRevision: modRevision as number,
  }
}

async function* lines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: false })
  let rest = ''
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const parts = rest.split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > longestLine) throw damaged('a line does not end')
    yield* parts
  }
  if (rest !== '') yield rest
}
