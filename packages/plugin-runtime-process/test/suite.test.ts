import { runtimeSuite } from '@continuo/testkit'
import { Host } from './harness.ts'

const sh = (script: string) => ({ image: 'host', command: ['sh', '-c', script] })

runtimeSuite('processes of the host', async () => {
  const host = new Host()
  return {
    runtime: host.runtime,
    programs: {
      serve: sh("trap 'exit 0' TERM; while :; do sleep 0.05; done"),
      stubborn: sh("trap '' TERM; while :; do sleep 0.05; done"),
      fail: sh('echo one; echo two; echo three; echo oops >&2; exit 3'),
      echo: sh('while read -r line; do echo "$line"; done; while :; do sleep 1; done'),
      unstartable: { image: 'host', command: ['/does/not/exist'] },
    },
    commands: {
      both: ['sh', '-c', 'printf out; printf err >&2; exit 3'],
      copy: ['cat'],
      forever: ['sleep', '600'],
    },
    missingImage: 'nowhere.example.com/nothing:1',
    reopen: async () => host.restart(),
    dispose: async () => {
      for (const { uid } of await host.runtime.list()) await host.runtime.removeSandbox(uid)
      await host.close()
    },
  }
})
