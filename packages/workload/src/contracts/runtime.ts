import type { Duplex, Readable, Writable } from 'node:stream'
import { capability } from '@continuo/core'

/** Who a sandbox belongs to; travels as labels of whatever the runtime makes, so that `list` can tell. */
export interface SandboxIdentity {
  readonly uid: string
  readonly namespace: string
  readonly name: string
}

/** A pod's surroundings: network identity, host name, shared settings. */
export interface SandboxSpec extends SandboxIdentity {
  readonly hostname: string
  readonly hostNetwork: boolean
  readonly shareProcessNamespace: boolean
  readonly hostPid: boolean
  readonly hostIpc: boolean
  readonly sysctls: Readonly<Record<string, string>>
  readonly dns?: { readonly nameservers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] }
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[]
  readonly ports: readonly {
    readonly containerPort: number
    readonly hostPort?: number
    readonly hostIP?: string
    readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  }[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Limits of the whole pod: CPU in cores, memory in bytes. */
  readonly resources: ResourceLimits
}

export interface ResourceLimits {
  readonly cpuRequest?: number
  readonly cpuLimit?: number
  readonly memoryRequest?: number
  readonly memoryLimit?: number
}

/** A path of the host that shall be seen at a path of the container. */
export interface MountSpec {
  readonly name: string
  readonly hostPath: string
  readonly containerPath: string
  readonly readOnly: boolean
  readonly propagation: 'None' | 'HostToContainer' | 'Bidirectional'
}

export interface SecuritySpec {
  readonly user?: number
  readonly group?: number
  readonly supplementalGroups: readonly number[]
  readonly privileged: boolean
  readonly readOnlyRootFilesystem: boolean
  readonly allowPrivilegeEscalation: boolean
  readonly addCapabilities: readonly string[]
  readonly dropCapabilities: readonly string[]
  readonly seccomp?: { readonly type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'; readonly localhostProfile?: string }
}

/** One container as it shall run. Every reference has been resolved: `env` holds values, mounts hold host paths. */
export interface ContainerSpec {
  readonly sandbox: string
  readonly name: string
  /** Rises with each restart; `sandbox/name/attempt` identifies a container for good. */
  readonly attempt: number
  readonly kind: 'init' | 'main' | 'ephemeral'
  readonly image: string
  /** Replaces the image's entry point when not empty. */
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDir?: string
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly mounts: readonly MountSpec[]
  readonly devices: readonly { readonly hostPath: string; readonly containerPath: string; readonly permissions: string }[]
  readonly resources: ResourceLimits
  readonly security: SecuritySpec
  readonly stdin: boolean
  readonly stdinOnce: boolean
  readonly tty: boolean
  /** Signal that asks it to stop, such as `SIGTERM`. Unset: the image's, else SIGTERM. */
  readonly stopSignal?: string
  readonly log: { readonly maxBytes: number; readonly maxFiles: number }
  readonly labels: Readonly<Record<string, string>>
  /** Digest over everything that requires another container when it changes; the runtime keeps it and tells it back. */
  readonly hash: string
  /** For an ephemeral container that joins the process namespace of another one. */
  readonly targetContainer?: string
}

/** What a runtime knows of one sandbox. */
export interface RuntimeSandbox extends SandboxIdentity {
  readonly id: string
  /** `notready`: its network or holder process is gone; it must be removed and made again. */
  readonly state: 'ready' | 'notready'
  readonly ips: readonly string[]
  readonly createdAt: number
  readonly containers: readonly RuntimeContainer[]
}

export interface RuntimeContainer {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly kind: ContainerSpec['kind']
  readonly image: string
  readonly imageId: string
  readonly hash: string
  /** `unknown`: it ran before and nobody can say how it ended. */
  readonly state: 'created' | 'running' | 'exited' | 'unknown'
  /** Wall milliseconds. */
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly exitCode?: number
  readonly signal?: number
  readonly oomKilled?: boolean
  /** Why it could not start, or how it ended, for people. */
  readonly message?: string
}

export interface RuntimeEvent {
  readonly sandbox: string
  readonly container?: string
}

export interface LogOptions {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines?: number
  readonly limitBytes?: number
  /** Wall milliseconds. */
  readonly since?: number
  readonly stream?: 'All' | 'Stdout' | 'Stderr'
}

export interface TerminalSize {
  readonly width: number
  readonly height: number
}

/** Streams of an exec or attach. The runtime ends `stdout` and `stderr` when the process has. */
export interface ProcessStreams {
  readonly stdin?: Readable
  readonly stdout?: Writable
  readonly stderr?: Writable
  readonly tty: boolean
  readonly resize?: AsyncIterable<TerminalSize>
}

export interface ContainerStats {
  readonly container: string
  /** Wall milliseconds of the sample. */
  readonly time: number
  /** Nanoseconds of CPU since the start. */
  readonly cpuNanoseconds: number
  /** Bytes that cannot be reclaimed under pressure. */
  readonly memoryWorkingSetBytes: number
  readonly memoryRssBytes: number
}

export interface ImageState {
  readonly id: string
  readonly tags: readonly string[]
  readonly bytes: number
}

export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly identityToken?: string
  readonly serverAddress?: string
}

/** Address of one container: the sandbox's uid, its name, and which attempt (unset: the latest). */
export interface ContainerRef {
  readonly sandbox: string
  readonly name: string
  readonly attempt?: number
}

/**
 * Runs sandboxes and containers. Every method is idempotent: doing twice is doing once. A restarted agent recovers from
 * `list` alone, so the runtime must outlive it and keep exit codes and logs until `remove`.
 *
 * Errors are `RuntimeError` with codes `RUNTIME_IMAGE_NOT_PRESENT`, `RUNTIME_IMAGE_PULL`, `RUNTIME_INVALID_SPEC`,
 * `RUNTIME_START_FAILED`, `RUNTIME_NOT_FOUND`, `RUNTIME_UNAVAILABLE`, `RUNTIME_UNSUPPORTED`.
 */
export interface Runtime {
  readonly name: string
  readonly version: string
  readonly features: {
    /** Images are pulled from registries. */
    readonly pull: boolean
    /** Containers have file systems of their own. */
    readonly rootFilesystem: boolean
    /** Sandboxes have network namespaces of their own. */
    readonly networkNamespace: boolean
    readonly resize: boolean
  }
  /** Makes the sandbox or finds it; has addresses when it resolves. */
  ensureSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<RuntimeSandbox>
  /** Makes and starts the container of this attempt, or finds it in whatever state it is. */
  ensureContainer(spec: ContainerSpec, signal?: AbortSignal): Promise<RuntimeContainer>
  /** Stop signal, at most `graceMs` of waiting, then SIGKILL to everything in it. Resolves when it has ended. */
  stop(container: ContainerRef, graceMs: number, signal?: AbortSignal): Promise<void>
  /** Removes an ended container and its logs. */
  removeContainer(container: ContainerRef & { readonly attempt: number }): Promise<void>
  /** Kills what is left, then removes the sandbox with everything in it, and releases its addresses. */
  removeSandbox(uid: string): Promise<void>
  list(signal?: AbortSignal): Promise<readonly RuntimeSandbox[]>
  /** Hints that something changed; may repeat or miss some. Ends when the signal aborts. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>
  /** Writes what `kubectl logs` shows. Resolves at the end, or when the signal aborts. */
  logs(container: ContainerRef, options: LogOptions, out: Writable, signal: AbortSignal): Promise<void>
  /** Resolves with the exit code. */
  exec(container: ContainerRef, command: readonly string[], streams: ProcessStreams, signal: AbortSignal): Promise<number>
  /** Resolves when the container has ended or the signal aborts. */
  attach(container: ContainerRef, streams: ProcessStreams, signal: AbortSignal): Promise<void>
  /** A connection to a port inside the sandbox. */
  portForward(sandbox: string, port: number, signal: AbortSignal): Promise<Duplex>
  stats(sandbox: string): Promise<readonly ContainerStats[]>
  /** Live resize. `RUNTIME_UNSUPPORTED` without the feature. */
  updateResources(container: ContainerRef, resources: ResourceLimits): Promise<void>
  images(): Promise<readonly ImageState[]>
  imagePresent(image: string): Promise<boolean>
  /** Resolves with the image's id. */
  pullImage(image: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string>
  removeImage(image: string): Promise<void>
  /** Throws `RUNTIME_UNAVAILABLE` with the reason when it cannot work. */
  check(): Promise<void>
}

export const RuntimeCap = capability<Runtime>('runtime/v1', { swappable: true })
