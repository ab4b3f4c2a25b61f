import { describe, expect, it } from 'vitest'
import { prometheusMetrics } from '../src/index.ts'

describe('prometheusMetrics', () => {
  it('exposes counters, gauges and histograms', async () => {
    const metrics = prometheusMetrics()
    metrics.counter('a_total', 'A.', ['x']).inc({ x: '1' }, 2)
    metrics.gauge('b', 'B.').set(7)
    metrics.histogram('c', 'C.', { labels: ['x'], buckets: [1, 2] }).observe(1.5, { x: '1' })
    const text = await metrics.expose()
    expect(text).toContain('a_total{x="1"} 2')
    expect(text).toContain('b 7')
    expect(text).toContain('c_bucket{x="1",le="2"} 1')
  })

  it('returns the same metric for the same name', async () => {
    const metrics = prometheusMetrics()
    metrics.counter('a_total', 'A.').inc()
    metrics.counter('a_total', 'A.').inc()
    expect(await metrics.expose()).toContain('a_total 2')
  })

  it('counts label sets beyond a thousand as one', async () => {
    const metrics = prometheusMetrics()
    const counter = metrics.counter('a_total', 'A.', ['x'])
    for (let i = 0; i < 1_500; i++) counter.inc({ x: String(i) })
    const text = await metrics.expose()
    expect(text.match(/^a_total\{/gm)).toHaveLength(1_001)
    expect(text).toContain('a_total{overflow="true"} 500')
  })

  it('adds those of the process when asked', async () => {
    expect(await prometheusMetrics({ defaults: true }).expose()).toContain('process_cpu_seconds_total')
  })
})
