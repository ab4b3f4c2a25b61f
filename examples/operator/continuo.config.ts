import { runtimeProcess } from '@continuo/plugin-runtime-process'
import { defineCluster } from 'continuo'

/** The reference cluster, whose node knows the operator's image: this directory. */
export default defineCluster({
  extends: 'continuo/config/reference.yaml',
  plugins: {
    runtime: runtimeProcess.with({
      images: { 'website-operator:1': { root: import.meta.dirname, command: [process.execPath, 'src/main.ts'] } },
    }),
  },
})
