import { ContinuoError } from '../errors/continuo-error.ts'
import type { Labels, Metrics } from './metrics.ts'

const maxLabelSets = 1_000
const overflow: Labels = { overflow: 'true' }
const none: Labels = {}
const noCounts: number[] = []
const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Series {
  readonly labels: Labels
  value: number
  /** Histograms: observations in each bucket, without those of the smaller ones. */
  readonly counts: number[]
  count: number
}

interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly buckets: readonly number[]
  readonly series: Map<string, Series>
  /** Callers on hot paths give the same object each time. */
  readonly byIdentity: WeakMap<Labels, Series>
}

const escapeValue = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

const formatLabels = (labels: Labels, extra?: string): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`)
  if (extra !== undefined) pairs.push(extra)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function linesOf(name: string, metric: Metric): string[] {
  const lines = [`# HELP ${name} ${escapeHelp(metric.help)}`, `# TYPE ${name} ${metric.type}`]
  for (const series of metric.series.values()) {
    if (metric.type !== 'histogram') {
      lines.push(`${name}${formatLabels(series.labels)} ${series.value}`)
      continue
    }
    let below = 0
    metric.buckets.forEach((bound, at) => {
      below += series.counts[at] as number
      lines.push(`${name}_bucket${formatLabels(series.labels, `le="${bound}"`)} ${below}`)
    })
    lines.push(`${name}_bucket${formatLabels(series.labels, 'le="+Inf"')} ${series.count}`)
    lines.push(`${name}_sum${formatLabels(series.labels)} ${series.value}`, `${name}_count${formatLabels(series.labels)} ${series.count}`)
  }
  return lines
}

/** A registry of metrics in memory: what a host uses unless a plugin provides another. */
export function createMetrics(): Metrics {
  const metrics = new Map<string, Metric>()

  const define = (type: Metric['type'], name: string, help: string, buckets: readonly number[] = []): Metric => {
    const known = metrics.get(name)
    if (known !== undefined && known.type !== type) {
      throw new ContinuoError('METRIC_CONFLICT', `metric ${name} is a ${known.type} and cannot be made a ${type}`)
    }
    const metric = known ?? { type, help, buckets, series: new Map(), byIdentity: new WeakMap() }
    metrics.set(name, metric)
    return metric
  }

  const seriesOf = (metric: Metric, labels: Labels = none): Series => {
    const found = metric.byIdentity.get(labels)
    if (found !== undefined) return found
    const series = findSeries(metric, labels)
    metric.byIdentity.set(labels, series)
    return series
  }

  const findSeries = (metric: Metric, labels: Labels): Series => {
    const id = JSON.stringify(labels)
    const known = metric.series.get(id)
    if (known !== undefined) return known
    if (metric.series.size >= maxLabelSets && labels !== overflow) return findSeries(metric, overflow)
    const series: Series = { labels, value: 0, count: 0, counts: metric.type === 'histogram' ? metric.buckets.map(() => 0) : noCounts }
    metric.series.set(id, series)
    return series
  }

  return {
    counter(name, help) {
      const metric = define('counter', name, help)
      return {
        inc: (labels, by = 1) => {
          seriesOf(metric, labels).value += by
        },
      }
    },
    gauge(name, help) {
      const metric = define('gauge', name, help)
      return {
        set: (value, labels) => {
          seriesOf(metric, labels).value = value
        },
      }
    },
    histogram(name, help, options = {}) {
      const metric = define('histogram', name, help, options.buckets ?? defaultBuckets)
      return {
        observe(value, labels) {
          const series = seriesOf(metric, labels)
          series.value += value
          series.count += 1
          const at = metric.buckets.findIndex((bound) => value <= bound)
          if (at >= 0) (series.counts[at] as number)++
        },
      }
    },
    expose: async () => `${[...metrics].flatMap(([name, metric]) => linesOf(name, metric)).join('\n')}\n`,
  }
}

/** Counts nothing. */
export const noMetrics: Metrics = {
  counter: () => ({ inc: () => {} }),
  gauge: () => ({ set: () => {} }),
  histogram: () => ({ observe: () => {} }),
  expose: async () => '\n',
}
