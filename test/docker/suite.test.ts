import { runtimeSuite } from '@continuo/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { type Docker, dockerMissing, dockerNote, startDocker } from '../support/docker.ts'
import { runtimeOn } from './harness.ts'

describe.skipIf(dockerMissing !== undefined)(`the Docker runtime on a real dockerd${dockerNote}`, () => {
  let docker: Docker
  beforeAll(async () => {
    docker = await startDocker()
  })
  afterAll(() => docker?.stop())

  runtimeSuite('docker', async () => {
    let runtime = runtimeOn(docker)
    const sh = (script: string) => ({ image: docker.image, command: ['sh', '-c', script] })
    return {
      runtime,
      programs: {
        serve: sh("trap 'exit 0' TERM; while :; do sleep 0.05; done"),
        stubborn: sh("trap '' TERM; while :; do sleep 0.05; done"),
        fail: sh('echo one; echo two; echo three; echo oops >&2; exit 3'),
        echo: sh('while read -r line; do echo "$line"; done; while :; do sleep 1; done'),
        unstartable: { image: docker.image, command: ['/does/not/exist'] },
      },
      commands: { both: ['sh', '-c', 'printf out; printf err >&2; exit 3'], copy: ['cat'], forever: ['sleep', '600'] },
      missingImage: '127.0.0.1:1/nothing:1',
      reopen: async () => {
        runtime = runtimeOn(docker)
        return runtime
      },
      dispose: async () => {
        await Promise.all((await runtime.list()).map(({ uid }) => runtime.removeSandbox(uid)))
      },
    }
  })
})
