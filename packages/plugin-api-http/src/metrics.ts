import type { Labels, Metrics } from '@continuo/core'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const maxLabelSets = 1_000

/** Keeps the number of label sets of one metric within its bound: what is beyond it is counted under `overflow="true"`. */
class LabelBound {
  readonly #seen = new Set<string>()
  /** Label objects that were let through: callers on hot paths use the same ones again. */
  readonly #known = new WeakSet<Labels>()

  bound(labels: Labels | undefined): Record<string, string> {
    if (labels === undefined) return {}
    if (this.#known.has(labels)) return labels
    const key = Object.values(labels).join('\u0000')
    if (!this.#seen.has(key)) {
      if (this.#seen.size >= maxLabelSets) return { overflow: 'true' }
      this.#seen.add(key)
    }
    this.#known.add(labels)
    return labels
  }
}

const withOverflow = (labels: readonly string[] | undefined): string[] =>
  labels === undefined || labels.length === 0 ? [] : [...labels, 'overflow']

/**
 * Metrics on prom-client, with Node.js' own (`process_*`, `nodejs_*`) when `defaults` is set: give it to `createHost`.
 * Same contract as core's: a name that exists is returned again.
 */
export function prometheusMetrics(options: { readonly defaults?: boolean } = {}): Metrics {
  const registry = new Registry()
  const made = new Map<string, unknown>()
  if (options.defaults === true) collectDefaultMetrics({ register: registry })
  const once = <T>(name: string, make: () => T): T => {
    const known = made.get(name)
    if (known !== undefined) return known as T
    const metric = make()
    made.set(name, metric)
    return metric
  }
  return {
    counter: (name, help, labels) =>
      once(name, () => {
        const metric = new Counter({ name, help, labelNames: withOverflow(labels), registers: [registry] })
        const sets = new LabelBound()
        return { inc: (given?: Labels, by = 1) => metric.inc(sets.bound(given), by) }
      }),
    gauge: (name, help, labels) =>
      once(name, () => {
        const metric = new Gauge({ name, help, labelNames: withOverflow(labels), registers: [registry] })
        const sets = new LabelBound()
        return { set: (value: number, given?: Labels) => metric.set(sets.bound(given), value) }
      }),
    histogram: (name, help, { labels, buckets } = {}) =>
      once(name, () => {
        const metric = new Histogram({
          name,
          help,
          labelNames: withOverflow(labels),
          registers: [registry],
          ...(buckets === undefined ? {} : { buckets: [...buckets] }),
        })
        const sets = new LabelBound()
        return { observe: (value: number, given?: Labels) => metric.observe(sets.bound(given), value) }
      }),
    expose: () => registry.metrics(),
  }
}
