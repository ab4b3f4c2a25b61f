import type { ServiceProxy } from '@continuo/workload'
import { brokenProxies } from '../proxy-suite/broken-proxies.ts'
import { type OpenedProxy, runProxyCheck } from '../proxy-suite/proxy-check.ts'
import { proxyChecks } from '../proxy-suite/proxy-checks.ts'
import { serveNamespace } from './namespace-process.ts'
import { NetworkLab } from './network-lab.ts'
import { packetChecks } from './packet-checks.ts'

/**
 * Runs checks of a proxy in the kernel when {@link kernelProxySuite} asks for them: the module that calls it is the node of a {@link NetworkLab}.
 * @param make A proxy that routes nothing yet, for pods in `10.244.0.0/16` and `fd00:244::/32`.
 * @param more Further checks of this proxy alone, by name.
 */
export function serveKernelProxy(
  make: () => ServiceProxy,
  more: Readonly<Record<string, (lab: NetworkLab, proxy: ServiceProxy) => Promise<void>>> = {},
): void {
  let opened: Promise<NetworkLab> | undefined
  const lab = (): Promise<NetworkLab> => (opened ??= NetworkLab.open())
  const open = async (): Promise<OpenedProxy> => {
    await lab()
    const proxy = make()
    return {
      proxy,
      clusterIPs: ['10.96.0.10', '10.96.0.11'],
      nodeAddress: NetworkLab.nodeIp,
      backendAddress: NetworkLab.nodeIp,
      needsPorts: false,
      dispose: () => proxy.clear(),
    }
  }
  const withLab = async (run: (lab: NetworkLab, proxy: ServiceProxy) => Promise<void> | undefined): Promise<void> => {
    const proxy = make()
    try {
      await run(await lab(), proxy)
    } finally {
      await proxy.clear()
    }
  }
  serveNamespace({
    suite: (name: string) => runProxyCheck(named(proxyChecks, name), open),
    broken: (fault: string) => {
      const broken = brokenProxies.find((one) => one.fault === fault)
      return runProxyCheck(named(proxyChecks, broken?.caughtBy ?? ''), async () => {
        const sound = await open()
        return { ...sound, proxy: broken?.breaks(sound.proxy) ?? sound.proxy }
      })
    },
    packets: (name: string) => withLab((lab, proxy) => named(packetChecks, name).run({ lab, proxy })),
    more: (name: string) => withLab((lab, proxy) => more[name]?.(lab, proxy)),
    close: async () => (await opened)?.close(),
  })
}

const named = <T extends { readonly name: string }>(list: readonly T[], name: string): T => list.find((one) => one.name === name) as T
