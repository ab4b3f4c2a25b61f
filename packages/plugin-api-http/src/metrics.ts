import { createMetrics, type Metrics } from '@continuo/core'

/**
 * Core's metrics, and with `defaults` those of the process itself (`process_*`, `nodejs_*`, by prom-client): give them to `createHost`.
 * prom-client is loaded when somebody first asks for the metrics; it counts collections and delays of the event loop from then on.
 */
export function prometheusMetrics(options: { readonly defaults?: boolean } = {}): Metrics {
  const metrics = createMetrics()
  if (options.defaults !== true) return metrics
  let ofProcess: Promise<{ metrics(): Promise<string> }> | undefined
  return {
    ...metrics,
    async expose() {
      ofProcess ??= registerDefaults()
      return `${await metrics.expose()}${await (await ofProcess).metrics()}`
    },
  }
}

async function registerDefaults(): Promise<{ metrics(): Promise<string> }> {
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
