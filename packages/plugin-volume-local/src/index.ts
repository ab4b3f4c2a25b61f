import { definePlugin } from '@continuo/core'
import { VolumeDriverCap } from '@continuo/workload'
import { configMap, downwardApi, emptyDir, hostPath, projected, secret } from './drivers.ts'

export { writeAtomically } from './atomic-writer.ts'
export { configMap, downwardApi, emptyDir, hostPath, projected, secret } from './drivers.ts'

/** Volumes that need nothing but the node's file system. */
export const volumeLocal = definePlugin({
  name: 'volume-local',
  api: '^1',
  roles: ['node'],
  provides: [VolumeDriverCap],
  setup(ctx) {
    ctx.provide(VolumeDriverCap, emptyDir, 'emptyDir')
    ctx.provide(VolumeDriverCap, configMap, 'configMap')
    ctx.provide(VolumeDriverCap, secret, 'secret')
    ctx.provide(VolumeDriverCap, downwardApi, 'downwardAPI')
    ctx.provide(VolumeDriverCap, projected, 'projected')
    ctx.provide(VolumeDriverCap, hostPath, 'hostPath')
  },
})

export default volumeLocal
