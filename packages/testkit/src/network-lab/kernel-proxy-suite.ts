import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brokenProxies } from '../proxy-suite/broken-proxies.ts'
import { proxyChecks } from '../proxy-suite/proxy-checks.ts'
import { NamespaceProcess } from './namespace-process.ts'
import { packetChecks } from './packet-checks.ts'

export interface KernelProxySuiteOptions {
  /** A module that calls `serveKernelProxy`; it is run in a network namespace of its own. */
  readonly module: URL
  /** Names of its further checks. */
  readonly more?: readonly string[]
  /** Broken proxies too, which show that the suite notices them: once is enough, whatever the proxy. */
  readonly broken?: boolean
  /** Why it cannot run on this machine. */
  readonly skip?: string
}

/** Declares the conformance tests of `proxy/v1`, its broken proxies, and those by real packets, for a proxy in the kernel. Needs root. */
export function kernelProxySuite(name: string, { module, more = [], broken = false, skip }: KernelProxySuiteOptions): void {
  describe.skipIf(skip !== undefined)(
    `kernel proxy: ${name}${skip === undefined ? '' : ` (skipped: ${skip})`}`,
    { timeout: 30_000 },
    () => {
      let node: NamespaceProcess
      beforeAll(async () => {
        node = await NamespaceProcess.start(module)
      }, 30_000)
      afterAll(async () => {
        await node?.ask('close')
        await node?.stop()
      })
      it.each(proxyChecks.filter((check) => check.applies === undefined).map((check) => check.name))('%s', (check) =>
        node.ask('suite', check),
      )
      it.each(packetChecks.map((check) => check.name))('%s', (check) => node.ask('packets', check))
      if (more.length > 0) it.each(more)('%s', (check) => node.ask('more', check))
      it.each(
        (broken ? brokenProxies : [])
          .filter(
            ({ caughtBy, ofSockets }) => ofSockets !== true && proxyChecks.find(({ name }) => name === caughtBy)?.applies === undefined,
          )
          .map(({ fault }) => fault),
      )('notices a proxy that %s', async (fault) => {
        await expect(node.ask('broken', fault)).rejects.toThrow()
      })
    },
  )
}
