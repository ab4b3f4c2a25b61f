// An agent that starts a container and then waits to be killed: `node agent.fixture.ts DIRECTORY`.
import { silentLog } from '@continuo/core'
import { runtimeProcessConfig } from '../src/config.ts'
import { ProcessRuntime } from '../src/process-runtime.ts'
import { containerSpec, realClock, sandboxSpec } from './harness.ts'

const config = { ...runtimeProcessConfig.parse({}), directory: process.argv[2] ?? '' }
const runtime = new ProcessRuntime({ config, clock: realClock, log: silentLog, env: { PATH: process.env.PATH ?? '' } })
await runtime.ensureSandbox(sandboxSpec('killed'))
const script = 'echo before; while [ ! -e $CONTINUO_ROOT/go ]; do sleep 0.01; done; echo after; exit 33'
await runtime.ensureContainer(containerSpec('killed', script))
process.stdout.write('started\n')
setInterval(() => {}, 1000)
