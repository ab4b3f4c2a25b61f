import { PassThrough } from 'node:stream'
import { ContinuoError, systemClock } from '@continuo/core'
import {
  type ContainerRef,
  type ContainerSpec,
  isRuntimeError,
  type LogOptions,
  type Runtime,
  type RuntimeContainer,
  type RuntimeErrorCode,
  type RuntimeSandbox,
  type SandboxSpec,
} from '@continuo/workload'

/** What the containers of the suite do. Lines end in a line feed. */
export type RuntimeSuiteProgram =
  /** Runs until its stop signal, and ends soon after it with a code other than 137. */
  | 'serve'
  /** Runs and ignores its stop signal. */
  | 'stubborn'
  /** Writes `one`, `two`, `three` to its output and `oops` to its error output, then ends with code 3 within a second. */
  | 'fail'
  /** Copies each line of its input to its output, without an end. */
  | 'echo'
  /** Cannot be started: its command does not exist. */
  | 'unstartable'

/** A runtime without sandboxes, what it takes to run the suite's programs on it, and how to get rid of it. */
export interface OpenedRuntime {
  readonly runtime: Runtime
  readonly programs: Readonly<Record<RuntimeSuiteProgram, Pick<ContainerSpec, 'image' | 'command'>>>
  /** Commands for exec in a `serve` container. */
  readonly commands: {
    /** Writes `out` to its output, `err` to its error output, and ends with code 3. */
    readonly both: readonly string[]
    /** Copies its input to its output and ends with 0 when the input has ended. */
    readonly copy: readonly string[]
    /** Does not end. */
    readonly forever: readonly string[]
  }
  /** An image that is nowhere. */
  readonly missingImage: string
  /** Another instance over the same state, as after a restart of the agent; the first is not used any more. Unset: state does not outlive an instance. */
  reopen?(): Promise<Runtime>
  dispose(): Promise<void>
}

/** One duty of every runtime. `run` throws when the runtime neglects it. */
export interface RuntimeCheck {
  readonly name: string
  /** Left out when this says so, by the features of the runtime and what the opener can do. */
  applies?(opened: OpenedRuntime): boolean
  run(bench: RuntimeBench): Promise<void>
}

/** Opens a runtime for one check and disposes of it afterwards. */
export async function runRuntimeCheck(check: RuntimeCheck, open: () => Promise<OpenedRuntime>): Promise<void> {
  const opened = await open()
  try {
    if (check.applies?.(opened) !== false) await check.run(new RuntimeBench(opened))
  } finally {
    await opened.dispose()
  }
}

/** How long a check waits for what a runtime must do soon. */
const patience = 5_000

export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const stop = new AbortController()
  const late = systemClock.sleep(patience, stop.signal).then(
    () => {
      throw new ContinuoError('CHECK_FAILED', `${what} did not come within ${patience} ms`)
    },
    () => promise,
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    stop.abort()
  }
}

export async function eventually<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = systemClock.monotonic() + patience
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    if (systemClock.monotonic() > deadline) throw new ContinuoError('CHECK_FAILED', `${what} did not happen within ${patience} ms`)
    await systemClock.sleep(10)
  }
}

/** The promise must be refused with one of these codes, as a `RuntimeError`. */
export async function refused(promise: Promise<unknown>, ...codes: RuntimeErrorCode[]): Promise<void> {
  const error = await within(promise, `the answer ${codes.join(' or ')}`).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) throw new ContinuoError('CHECK_FAILED', `${codes.join(' or ')} was expected, but it succeeded`)
  if (!isRuntimeError(error, ...codes))
    throw new ContinuoError('CHECK_FAILED', `${codes.join(' or ')} was expected, not ${String(error)}`, { cause: error })
}

/** What one check works with. */
export class RuntimeBench {
  readonly opened: OpenedRuntime
  runtime: Runtime

  constructor(opened: OpenedRuntime) {
    this.opened = opened
    this.runtime = opened.runtime
  }

  sandboxSpec(uid: string, more: Partial<SandboxSpec> = {}): SandboxSpec {
    return {
      uid,
      namespace: 'suite',
      name: `pod-${uid}`,
      hostname: `pod-${uid}`,
      hostNetwork: false,
      shareProcessNamespace: false,
      hostPid: false,
      hostIpc: false,
      sysctls: {},
      hostAliases: [],
      ports: [],
      labels: {},
      annotations: {},
      resources: {},
      ...more,
    }
  }

  containerSpec(sandbox: string, program: RuntimeSuiteProgram, more: Partial<ContainerSpec> = {}): ContainerSpec {
    return {
      sandbox,
      name: 'main',
      attempt: 0,
      kind: 'main',
      ...this.opened.programs[program],
      args: [],
      env: [],
      mounts: [],
      devices: [],
      resources: {},
      security: {
        supplementalGroups: [],
        privileged: false,
        readOnlyRootFilesystem: false,
        allowPrivilegeEscalation: true,
        addCapabilities: [],
        dropCapabilities: [],
      },
      stdin: program === 'echo',
      stdinOnce: false,
      tty: false,
      log: { maxBytes: 1_000_000, maxFiles: 2 },
      labels: {},
      hash: 'hash-of-the-suite',
      ...more,
    }
  }

  /** Starts a program as the container `main` of a sandbox, pulling its image first. */
  async start(uid: string, program: RuntimeSuiteProgram, more: Partial<ContainerSpec> = {}): Promise<RuntimeContainer> {
    const spec = this.containerSpec(uid, program, more)
    await this.runtime.ensureSandbox(this.sandboxSpec(uid))
    await this.pull(spec.image)
    return this.runtime.ensureContainer(spec)
  }

  async pull(image: string): Promise<void> {
    if (!(await this.runtime.imagePresent(image))) await this.runtime.pullImage(image, undefined, AbortSignal.timeout(60_000))
  }

  async sandbox(uid: string): Promise<RuntimeSandbox | undefined> {
    return (await this.runtime.list()).find((sandbox) => sandbox.uid === uid)
  }

  async state(uid: string, attempt = 0, name = 'main'): Promise<RuntimeContainer | undefined> {
    return (await this.sandbox(uid))?.containers.find((container) => container.name === name && container.attempt === attempt)
  }

  /** The state once it does not run any more. */
  ended(uid: string, attempt = 0): Promise<RuntimeContainer> {
    return eventually(`the end of ${uid}/main/${attempt}`, async () => {
      const state = await this.state(uid, attempt)
      return state?.state === 'running' || state?.state === 'created' ? undefined : state
    })
  }

  async logs(ref: ContainerRef, options: Partial<LogOptions> = {}): Promise<string> {
    const out = new PassThrough()
    const text = collect(out)
    await within(
      this.runtime.logs(ref, { follow: false, previous: false, timestamps: false, ...options }, out, AbortSignal.timeout(patience)),
      'the end of the log',
    )
    out.end()
    return text
  }
}

export async function collect(stream: AsyncIterable<Buffer | string>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk.toString()
  return text
}
