import { systemClock } from '@continuo/core'
import { SimulatedRuntime } from '../runtime/simulated-runtime.ts'
import type { OpenedRuntime } from './runtime-check.ts'

/** A simulated runtime on the real clock with the programs of the suite. */
export async function openSimulatedRuntime(): Promise<OpenedRuntime> {
  const exec = (command: readonly string[]) => {
    if (command[0] === 'both') return { exitCode: 3, stdout: 'out', stderr: 'err' }
    if (command[0] === 'copy') return { exitCode: 0, echo: true }
    return { exitCode: 0, afterMs: Number.POSITIVE_INFINITY }
  }
  const runtime = new SimulatedRuntime({
    clock: systemClock,
    missingImages: new Set(['nowhere']),
    programs: {
      serve: { exec, stopAfterMs: 20 },
      stubborn: { stopAfterMs: Number.POSITIVE_INFINITY },
      fail: { output: ['one', 'two', 'three'], errors: ['oops'], exitAfterMs: 20, exitCode: 3 },
      echo: { echo: true },
      unstartable: { startFails: 'exec: "nonsense": executable file not found' },
    },
  })
  const program = (image: string) => ({ image, command: [] })
  return {
    runtime,
    programs: {
      serve: program('serve'),
      stubborn: program('stubborn'),
      fail: program('fail'),
      echo: program('echo'),
      unstartable: program('unstartable'),
    },
    commands: { both: ['both'], copy: ['copy'], forever: ['forever'] },
    missingImage: 'nowhere',
    dispose: async () => {
      for (const { uid } of await runtime.list()) await runtime.removeSandbox(uid)
    },
  }
}
