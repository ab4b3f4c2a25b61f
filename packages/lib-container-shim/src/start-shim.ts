import { spawn } from 'node:child_process'
import { RuntimeError } from '@continuo/workload'

/** Bytes of a shim's complaint that are kept. */
const maxComplaint = 4096

/**
 * Starts the shim in a directory and waits until it says that the command runs. Resolves with `started`, or with `running` when
 * a shim already lives there. Throws `RUNTIME_START_FAILED` with the reason when the command cannot be started.
 */
export function startShim(shim: string, directory: string): Promise<'started' | 'running'> {
  return new Promise((resolve, reject) => {
    const child = spawn(shim, [directory], {
      cwd: '/',
      env: {},
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, maxComplaint)
    })
    child.on('error', (cause) =>
      reject(new RuntimeError('RUNTIME_UNAVAILABLE', `the shim ${shim} could not be run: ${cause.message}`, { cause })),
    )
    child.on('close', (code) => {
      if (code === 0) resolve('started')
      else if (code === 3) resolve('running')
      else reject(new RuntimeError('RUNTIME_START_FAILED', complaint.trim() || `the shim ended with code ${code}`))
    })
  })
}
