import { capability } from '../capability/capability.ts'

export type Labels = Readonly<Record<string, string>>

export interface Counter {
  inc(labels?: Labels, by?: number): void
}

export interface Gauge {
  set(value: number, labels?: Labels): void
}

export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/**
 * Metrics in Prometheus' data model. Creating the same name twice returns the same metric.
 * At most 1,000 label sets are kept per metric; more are counted under `overflow="true"`.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter
  gauge(name: string, help: string, labels?: readonly string[]): Gauge
  histogram(name: string, help: string, options?: { labels?: readonly string[]; buckets?: readonly number[] }): Histogram
  /** All metrics in Prometheus' text format 0.0.4. */
  expose(): Promise<string>
}

export const MetricsCap = capability<Metrics>('metrics/v1')
