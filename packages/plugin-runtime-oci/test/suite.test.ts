import { runtimeSuite } from '@continuo/testkit'
import { describe } from 'vitest'
import { busyboxArchive, missing, OciMachine } from './machine.ts'

const image = 'busybox:1'
const sh = (script: string) => ({ image, command: ['sh', '-c', script] })

describe.skipIf(missing)(`the OCI runtime on crun${missing === undefined ? '' : ` (${missing})`}`, () => {
  runtimeSuite('crun', async () => {
    const machine = new OciMachine()
    busyboxArchive(machine.images, image)
    return {
      runtime: machine.runtime,
      programs: {
        serve: sh("trap 'exit 0' TERM; while :; do sleep 0.05; done"),
        stubborn: sh("trap '' TERM; while :; do sleep 0.05; done"),
        fail: sh('echo one; echo two; echo three; echo oops >&2; exit 3'),
        echo: sh('while read -r line; do echo "$line"; done; while :; do sleep 1; done'),
        unstartable: { image, command: ['/does/not/exist'] },
      },
      commands: {
        both: ['sh', '-c', 'printf out; printf err >&2; exit 3'],
        copy: ['cat'],
        forever: ['sleep', '600'],
      },
      missingImage: 'nowhere.example.com/nothing:1',
      reopen: async () => machine.restart(),
      dispose: () => machine.close(),
    }
  })
})
