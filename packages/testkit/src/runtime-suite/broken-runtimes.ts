import type { Runtime, RuntimeContainer } from '@continuo/workload'
import type { OpenedRuntime } from './runtime-check.ts'
import { openSimulatedRuntime } from './simulated-opening.ts'

/** A runtime with one fault, and a check that must notice it. */
export interface BrokenRuntime {
  readonly fault: string
  readonly caughtBy: string
  open(): Promise<OpenedRuntime>
}

/** A simulated runtime with some of its methods replaced. */
const faulty = (change: (sound: Runtime) => Partial<Runtime>) => async (): Promise<OpenedRuntime> => {
  const opened = await openSimulatedRuntime()
  const changes = change(opened.runtime)
  const runtime = new Proxy(opened.runtime, {
    get(sound, key) {
      const own = (changes as Record<PropertyKey, unknown>)[key]
      if (own !== undefined) return own
      const value = Reflect.get(sound, key, sound) as unknown
      return typeof value === 'function' ? value.bind(sound) : value
    },
  })
  return { ...opened, runtime }
}

const withContainers = (
  sound: Runtime,
  change: (containers: readonly RuntimeContainer[]) => readonly RuntimeContainer[],
): Partial<Runtime> => ({
  list: async (signal) => (await sound.list(signal)).map((sandbox) => ({ ...sandbox, containers: change(sandbox.containers) })),
})

/** Runtimes that the suite must not let pass. */
export const brokenRuntimes: readonly BrokenRuntime[] = [
  {
    fault: 'makes another sandbox each time it is asked',
    caughtBy: 'makes one sandbox however often it is asked for it, with an address when it resolves',
    open: faulty((sound) => {
      let count = 0
      return { ensureSandbox: async (spec) => ({ ...(await sound.ensureSandbox(spec)), id: `sandbox-${++count}` }) }
    }),
  },
  {
    fault: 'gives two sandboxes one address',
    caughtBy: 'gives each sandbox an address of its own',
    open: faulty((sound) => ({ ensureSandbox: async (spec) => ({ ...(await sound.ensureSandbox(spec)), ips: ['10.0.0.1'] }) })),
  },
  {
    fault: 'starts an ended attempt again',
    caughtBy: 'keeps the exit code and the time of the end, and does not start an ended attempt again',
    open: faulty((sound) => ({
      async ensureContainer(spec) {
        const state = await sound.ensureContainer(spec)
        if (state.state === 'running') return state
        await sound.removeContainer(spec)
        return sound.ensureContainer(spec)
      },
    })),
  },
  {
    fault: 'forgets exit codes',
    caughtBy: 'keeps the exit code and the time of the end, and does not start an ended attempt again',
    open: faulty((sound) =>
      withContainers(sound, (containers) =>
        containers.map((container) => (container.state === 'exited' ? { ...container, exitCode: 0 } : container)),
      ),
    ),
  },
  {
    fault: 'lists only what runs',
    caughtBy: 'keeps earlier attempts beside the next one',
    open: faulty((sound) =>
      withContainers(sound, (containers) => containers.filter(({ state, attempt }) => state === 'running' || attempt > 0)),
    ),
  },
  {
    fault: 'kills at once whatever the grace period',
    caughtBy: 'lets a container end by itself within its grace period',
    open: faulty((sound) => ({ stop: (ref, _graceMs, signal) => sound.stop(ref, 0, signal) })),
  },
  {
    fault: 'only asks a container to stop',
    caughtBy: 'kills after the grace period, and not before',
    open: faulty(() => ({ stop: async () => {} })),
  },
  {
    fault: 'does not stop waiting when it is told to',
    caughtBy: 'stops waiting when it is told to, and a later stop may be shorter',
    open: faulty((sound) => ({ stop: (ref, graceMs) => sound.stop(ref, graceMs) })),
  },
  {
    fault: 'keeps a sandbox that is removed while something runs in it',
    caughtBy: 'removes a sandbox with everything in it, running or not, and nothing else',
    open: faulty((sound) => ({
      async removeSandbox(uid) {
        const sandbox = (await sound.list()).find((other) => other.uid === uid)
        if (sandbox?.containers.some(({ state }) => state === 'running') !== true) await sound.removeSandbox(uid)
      },
    })),
  },
  {
    fault: 'throws errors of its own kind',
    caughtBy: 'refuses what names nothing with RUNTIME_NOT_FOUND',
    open: faulty(() => ({
      stop: async () => {
        throw new TypeError('no such container')
      },
    })),
  },
  {
    fault: 'never ends its events',
    caughtBy: 'tells of changes by events until it is told to stop',
    open: faulty((sound) => ({ events: () => sound.events(new AbortController().signal) })),
  },
  {
    fault: 'says nothing of changes',
    caughtBy: 'tells of changes by events until it is told to stop',
    open: faulty(() => ({
      async *events(signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    })),
  },
  {
    fault: 'shows the whole log whatever was asked',
    caughtBy: 'cuts a log by lines and by bytes',
    open: faulty((sound) => ({ logs: (ref, { tailLines, ...options }, out, signal) => sound.logs(ref, options, out, signal) })),
  },
  {
    fault: 'takes the latest attempt for the previous one',
    caughtBy: 'tells the log of the attempt before from that of the latest',
    open: faulty((sound) => ({ logs: (ref, options, out, signal) => sound.logs(ref, { ...options, previous: false }, out, signal) })),
  },
  {
    fault: 'ends a followed log at once',
    caughtBy: 'follows a log until the container ends, or the reader has had enough',
    open: faulty((sound) => ({ logs: (ref, options, out, signal) => sound.logs(ref, { ...options, follow: false }, out, signal) })),
  },
  {
    fault: 'calls every command a success',
    caughtBy: 'runs a command beside the container and tells its exit code, its output and its errors apart',
    open: faulty((sound) => ({ exec: async (ref, command, streams, signal) => (await sound.exec(ref, command, streams, signal)) * 0 })),
  },
  {
    fault: 'mixes errors into the output',
    caughtBy: 'runs a command beside the container and tells its exit code, its output and its errors apart',
    open: faulty((sound) => ({
      async exec(ref, command, streams, signal) {
        const code = await sound.exec(ref, command, { ...streams, stderr: streams.stdout }, signal)
        streams.stderr?.end()
        return code
      },
    })),
  },
  {
    fault: 'goes on with a command whose client has left',
    caughtBy: 'lets go of a command whose client has left',
    open: faulty((sound) => ({ exec: (ref, command, streams) => sound.exec(ref, command, streams, new AbortController().signal) })),
  },
  {
    fault: 'ends the container with an attached client',
    caughtBy: 'leaves the container running when an attached client goes',
    open: faulty((sound) => ({
      async attach(ref, streams, signal) {
        await sound.attach(ref, streams, signal)
        await sound.stop(ref, 0)
      },
    })),
  },
]
