import { silentLog, systemClock } from '@continuo/core'
import { brokenProxies, type OpenedProxy, proxyChecks, proxySuite, runProxyCheck } from '@continuo/testkit'
import { describe, expect, it } from 'vitest'
import { UserspaceProxy } from '../src/userspace-proxy.ts'

async function open(): Promise<OpenedProxy> {
  const proxy = new UserspaceProxy({ clock: systemClock, log: silentLog, nodePortAddress: '127.0.0.1' })
  return { proxy, clusterIPs: ['127.97.2.1', '127.97.2.2'], nodeAddress: '127.0.0.1', needsPorts: true, dispose: () => proxy.clear() }
}

proxySuite('userspace', open)

describe('proxy suite: broken proxies', () => {
  it.each(brokenProxies.map((broken) => [broken.fault, broken] as const))('notices a proxy that %s', async (_, { caughtBy, breaks }) => {
    const check = proxyChecks.find(({ name }) => name === caughtBy)
    expect(check, caughtBy).toBeDefined()
    const faulty = async (): Promise<OpenedProxy> => {
      const opened = await open()
      return { ...opened, proxy: breaks(opened.proxy) }
    }
    await expect(runProxyCheck(check!, faulty)).rejects.toThrow()
  })
})
