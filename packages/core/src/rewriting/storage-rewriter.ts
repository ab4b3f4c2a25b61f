import { fenceCondition } from '../client/fence-condition.ts'
import { convertObjects } from '../client/prepare-views.ts'
import type { VersionScale } from '../client/resource-version.ts'
import { storedJson } from '../client/stored-json.ts'
import type { Log } from '../log/log.ts'
import type { Counter, Gauge, Metrics } from '../metrics/metrics.ts'
import type { UnstructuredObject } from '../objects/object.ts'
import type { Lead } from '../plugin/plugin.ts'
import type { ResourceDefinition } from '../resources/resource.ts'
import { openValue, sealText } from '../resources/value-envelope.ts'
import type { Store } from '../store/store.ts'
import { isStoreError } from '../store/store-error.ts'
import { KeyUsage } from './key-usage.ts'
import { type RewriteReason, storageApiVersion } from './rewrite-reason.ts'
import { type Outdated, type ScanParts, type ScanResult, StorageScan } from './storage-scan.ts'

export interface RewriterOptions extends ScanParts {
  readonly store: Store
  readonly scale: VersionScale
  readonly log: Log
  readonly metrics: Metrics
  /** Objects that are written anew in a second, at most. */
  readonly perSecond: number
  /** Time between two looks at everything, in milliseconds. A resource that is added or replaced is looked at sooner. */
  readonly everyMs: number
}

/** After a resource has changed: definitions come in groups. */
const settleMs = 1_000
/** Of what cannot be written anew so many are told in one pass. */
const maxTold = 5

type Outcome = 'rewritten' | 'overtaken' | 'failed' | 'over'

/**
 * Brings what is stored to the form in which it would be written today: under the first key where the resource is encrypted, plain where it
 * is not, in its storage version. Runs on the leader, at a bounded rate, beside all other writes: each object is written only if it is still
 * the one that was read. It remembers nothing between terms, because what is done is seen in the store. No admission and no validation is
 * asked, for nothing that a reader sees changes but the resource version.
 */
export class StorageRewriter {
  readonly #options: RewriterOptions
  readonly #byKey: Gauge
  readonly #pending: Gauge
  readonly #total: Counter
  readonly #errors: Counter

  constructor(options: RewriterOptions) {
    const { metrics } = options
    this.#options = options
    this.#byKey = metrics.gauge('continuo_storage_encrypted_objects', 'Objects by the key that they lie under, as the leader found them.', [
      'key',
    ])
    this.#pending = metrics.gauge('continuo_storage_rewrites_pending', 'Objects that are to be written anew.', ['reason'])
    this.#total = metrics.counter('continuo_storage_rewrites_total', 'Objects that were written anew.', ['reason'])
    this.#errors = metrics.counter('continuo_storage_rewrite_errors_total', 'Objects that could not be written anew.')
  }

  /** Works until the term ends. What goes wrong is logged, and tried again with the next look. */
  async run(lead: Lead): Promise<void> {
    const { registry, transform, log, clock, everyMs } = this.#options
    const { signal } = lead
    const scan = new StorageScan(this.#options)
    const usage = new KeyUsage(transform?.keyIds)
    let wake = new AbortController()
    const stopListening = registry.onChange(() => wake.abort())
    try {
      while (!signal.aborted) {
        wake = new AbortController()
        const written = await this.#pass(scan, usage, lead).catch((error) => {
          if (!signal.aborted) log.warn({ error: textOf(error) }, 'looking for what is to be stored anew failed and will be tried again')
          return 0
        })
        if (written === undefined) return
        if (written > 0) continue
        await clock.sleep(everyMs, AbortSignal.any([signal, wake.signal])).catch(() => {})
        if (wake.signal.aborted && !signal.aborted) await clock.sleep(settleMs, signal).catch(() => {})
      }
    } finally {
      stopListening()
    }
  }

  /** How many were written; `undefined` when the term is over. */
  async #pass(scan: StorageScan, usage: KeyUsage, lead: Lead): Promise<number | undefined> {
    const { cache, store, log } = this.#options
    await cache.caughtUp(lead.signal)
    const result = await scan.run(lead.signal)
    if (lead.signal.aborted) return undefined
    usage.scanned(result.counts, result.writing, result.revision)
    this.#measure(result, usage)
    for (const key of usage.takeRetired(await store.compactedRevision()))
      log.info({ key }, 'nothing in the store needs this key any more: take it out of the configuration; older backups still need it')
    return this.#rewriteAll(result.outdated, lead)
  }

  #measure({ counts, pending }: ScanResult, usage: KeyUsage): void {
    for (const key of new Set([...usage.keys, ...counts.keys()])) this.#byKey.set(counts.get(key) ?? 0, { key })
    for (const reason of ['plain', 'key', 'version'] satisfies RewriteReason[]) this.#pending.set(pending.get(reason) ?? 0, { reason })
  }

  async #rewriteAll(all: readonly Outdated[], { fence, signal }: Lead): Promise<number | undefined> {
    if (all.length === 0) return 0
    const { log, clock, perSecond } = this.#options
    let written = 0
    let failed = 0
    for (const outdated of all) {
      const outcome = await this.#rewrite(outdated, fence, failed < maxTold)
      if (outcome === 'over' || signal.aborted) return undefined
      if (outcome === 'failed') failed += 1
      if (outcome !== 'rewritten') continue
      written += 1
      this.#total.inc({ reason: outdated.reason })
      await clock.sleep(1_000 / perSecond, signal).catch(() => {})
    }
    if (written + failed > 0)
      log.info({ written, failed }, 'stored objects were written anew, under the first key or in their storage version')
    return written
  }

  async #rewrite({ definition, entry }: Outdated, fence: Lead['fence'], isTold: boolean): Promise<Outcome> {
    const { store, registry, scale, transform, log } = this.#options
    const { key, modRevision } = entry
    try {
      const value = sealText(await currentText(openValue(entry.value, key, transform).toString(), definition), key, transform)
      const condition = fence === undefined ? undefined : fenceCondition(registry, scale, fence)
      const result = await store.commit({
        conditions: [{ key, modRevision }, ...(condition === undefined || condition.key === key ? [] : [condition])],
        writes: [{ type: 'put', key, value }],
      })
      if (result.committed) return 'rewritten'
      return result.failed.some((one) => one.key === condition?.key) ? 'over' : 'overtaken'
    } catch (error) {
      // Whether it was written is seen by the next look.
      if (isStoreError(error, 'STORE_OUTCOME_UNKNOWN')) return 'overtaken'
      if (isStoreError(error, 'STORE_UNAVAILABLE', 'STORE_CLOSED')) throw error
      this.#errors.inc()
      if (isTold) log.warn({ key, error: textOf(error) }, 'a stored object cannot be written anew')
      return 'failed'
    }
  }
}

/** The text of an object in its storage version; as it is where nothing serves its resource. */
async function currentText(text: string, definition: ResourceDefinition | undefined): Promise<string> {
  if (definition === undefined) return text
  const apiVersion = storageApiVersion(definition)
  const stored = JSON.parse(text) as UnstructuredObject
  if (stored.apiVersion === apiVersion) return text
  const [object] = await convertObjects(definition, [stored], apiVersion)
  return storedJson(object as UnstructuredObject)
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
