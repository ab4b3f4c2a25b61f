import { definePlugin } from '@continuo/core'
import { workloadResources } from './kinds/index.ts'

/** Adds every kind of this package to the registry. */
export const workloadKinds = definePlugin({
  name: 'workload-kinds',
  api: '^1',
  kinds: workloadResources,
})
