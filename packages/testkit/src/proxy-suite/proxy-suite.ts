import { describe, it } from 'vitest'
import { type OpenedProxy, runProxyCheck } from './proxy-check.ts'
import { proxyChecks } from './proxy-checks.ts'

/**
 * Declares the conformance tests of `proxy/v1` for one implementation, with real sockets on this machine.
 * @param open Opens a proxy that routes nothing yet; called once for each test.
 * @example proxySuite('userspace', async () => ({ proxy, clusterIPs: ['127.97.2.1', '127.97.2.2'], nodeAddress: '127.0.0.1', needsPorts: true, dispose: () => proxy.clear() }))
 */
export function proxySuite(name: string, open: () => Promise<OpenedProxy>): void {
  describe(`proxy suite: ${name}`, () => {
    for (const check of proxyChecks) it(check.name, () => runProxyCheck(check, open))
  })
}
