// The smallest program around the library: a control plane on the in-memory store. Tells when it is ready, and how long loading took.
import { createHost, definePlugin, memoryStore, Namespace, ObjectClientCap, objectsPlugin } from '@continuo/core'

const loaded = performance.now()
const observer = definePlugin({ name: 'observer', api: '^1', setup: (ctx) => void ctx.informer(Namespace) })
const host = createHost({
  name: 'library',
  role: 'control-plane',
  plugins: [
    { slot: 'store', plugin: memoryStore },
    { slot: 'objects', plugin: objectsPlugin },
    { slot: 'observer', plugin: observer },
  ],
})
await host.start()
await host.use(ObjectClientCap).for(Namespace).get('default')
process.stdout.write(`loaded in ${loaded.toFixed(0)} ms\nready in ${performance.now().toFixed(0)} ms\n`)
await host.stop()
process.exit()
