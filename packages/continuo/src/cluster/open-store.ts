import { resolve } from 'node:path'
import { ContinuoError, createHost, HostSettingsCap, type Log, ObjectClientCap, type Store, StoreCap } from '@continuo/core'
import { configFile, loadConfig } from './load.ts'

export interface StoreFlags {
  readonly config?: string
  readonly dataDir: string
}

/** Runs `use` with the store of a config file and nothing else of its cluster: no API, no controllers. Closes it afterwards. */
export async function withStore<T>(flags: StoreFlags, log: Log, use: (store: Store) => Promise<T>): Promise<T> {
  const config = await loadConfig(flags.config)
  const slot = config.slots.find(({ plugin }) => Array.isArray(plugin.provides) && plugin.provides.some(({ key }) => key === StoreCap.key))
  if (slot === undefined) {
    throw new ContinuoError('SNAPSHOT_STORE', `${configFile(flags.config)} has no slot with a store`, {
      hint: 'Name the config file of the control plane with --config.',
    })
  }
  const host = createHost({
    name: config.name,
    role: 'control-plane',
    plugins: [{ slot: slot.slot, plugin: slot.plugin, config: slot.config }],
    // Nobody asks for the client: that there is one keeps the object machine out.
    inherit: [
      [HostSettingsCap, { dataDir: resolve(flags.dataDir), clusterName: config.name }],
      [ObjectClientCap, {}],
    ],
    leaderElection: false,
    log,
  })
  await host.start()
  try {
    const store = host.use(StoreCap)
    if (!store.features.durable) {
      throw new ContinuoError('SNAPSHOT_STORE', `the store in the slot ${slot.slot} forgets everything with its process`, {
        hint: 'Name a config file with a durable store by --config.',
      })
    }
    return await use(store)
  } finally {
    await host.stop()
  }
}
