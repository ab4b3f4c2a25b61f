import { Cluster } from './src/cluster/cluster.ts'
import { createPinoLog } from './src/log/pino-log.ts'
import { storeSqlite } from '@continuo/plugin-store-sqlite'
import { workloadKinds, ApiEndpointCap } from '@continuo/workload'
import { apiHttp } from '@continuo/plugin-api-http'
import { nodeAgent, nodeConnections, serviceRouting } from '@continuo/plugin-node'
import { scheduler } from '@continuo/plugin-scheduler'
import * as controllers from '@continuo/plugin-controllers'
import { runtimeProcess } from '@continuo/plugin-runtime-process'
import { volumeLocal } from '@continuo/plugin-volume-local'
import { probe } from '@continuo/plugin-probe'
import { proxyUserspace } from '@continuo/plugin-proxy-userspace'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { writeFileSync } from 'node:fs'
const dir = process.argv[2] ?? '/tmp/e2e/data'
const cluster = new Cluster({ name: 'continuo', roles: ['control-plane', 'node'], dataDir: dir, log: createPinoLog({ level: 'info', pretty: true }), slots: [
  { slot: 'store', plugin: storeSqlite, config: { path: `${dir}/store` } },
  { slot: 'kinds', plugin: workloadKinds }, { slot: 'api', plugin: apiHttp, config: { } }, { slot: 'connections', plugin: nodeConnections },
  { slot: 'scheduler', plugin: scheduler, config: {} }, ...Object.entries(controllers).map(([slot, plugin]) => ({ slot, plugin: plugin as never, config: {} })),
  { slot: 'agent', plugin: nodeAgent, config: { onStop: 'stop' } }, { slot: 'runtime', plugin: runtimeProcess, config: { directory: `${dir}/runtime` } },
  { slot: 'volumes', plugin: volumeLocal }, { slot: 'probes', plugin: probe }, { slot: 'routing', plugin: serviceRouting, config: {} }, { slot: 'proxy', plugin: proxyUserspace, config: {} },
] })
const t = performance.now()
process.on('SIGINT', async () => { await cluster.stop(); process.exit(0) })
await cluster.start().catch((e) => { console.error(e); process.exit(1) })
const ep = cluster.controlPlane!.use(ApiEndpointCap)
writeFileSync('/tmp/e2e/kubeconfig', renderKubeconfig({ name: 'continuo', server: ep.url, authority: ep.authority, client: ep.admin }))
console.log('ready', performance.now() - t, performance.now(), ep.url)
