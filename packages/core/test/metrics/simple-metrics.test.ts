import { expect, it } from 'vitest'
import { createMetrics } from '../../src/index.ts'

it('exposes counters, gauges and histograms in the text format', async () => {
  const metrics = createMetrics()
  metrics.counter('c_total', 'Counts\nthings.').inc({ a: 'x"y' })
  metrics.counter('c_total', 'Counts\nthings.').inc({ a: 'x"y' }, 2)
  metrics.gauge('g', 'Gauge.').set(1.5)
  const histogram = metrics.histogram('h', 'Histogram.', { buckets: [1, 2] })
  histogram.observe(0.5)
  histogram.observe(3)
  expect(await metrics.expose()).toBe(`# HELP c_total Counts\\nthings.
# TYPE c_total counter
c_total{a="x\\"y"} 3
# HELP g Gauge.
# TYPE g gauge
g 1.5
# HELP h Histogram.
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="2"} 1
h_bucket{le="+Inf"} 2
h_sum 3.5
h_count 2
`)
})

it('counts label sets beyond a thousand under overflow', async () => {
  const metrics = createMetrics()
  const counter = metrics.counter('c', 'C.')
  for (let at = 0; at < 1_500; at += 1) counter.inc({ at: String(at) })
  expect(await metrics.expose()).toContain('c{overflow="true"} 500')
})

it('refuses one name for two types', () => {
  const metrics = createMetrics()
  metrics.counter('x', '')
  expect(() => metrics.gauge('x', '')).toThrowError(expect.objectContaining({ code: 'METRIC_CONFLICT' }))
})
