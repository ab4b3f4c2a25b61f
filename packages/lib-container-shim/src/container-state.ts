import type { ContainerSpec, RuntimeContainer } from '@continuo/workload'
import type { ShimExit, ShimStart } from './shim-spec.ts'

/** What the runtime writes down about a container before it starts; never changed afterwards. */
export interface ContainerRecord {
  readonly id: string
  readonly imageId: string
  readonly createdAt: number
  readonly stopSignal: string
  readonly spec: Pick<ContainerSpec, 'name' | 'attempt' | 'kind' | 'image' | 'hash' | 'tty' | 'stdin'>
}

/** Everything on disk and in `/proc` that says how a container is. */
export interface Evidence {
  readonly record: ContainerRecord
  readonly start?: ShimStart
  readonly exit?: ShimExit
  /** The shim of `start` is running: same boot, same process id, same start time. */
  readonly shimAlive: boolean
  /** `start` was written in this boot of the machine. */
  readonly sameBoot: boolean
}

/** Decides a container's state. An exit record is final, whatever else is there. */
export function containerState({ record, start, exit, shimAlive, sameBoot }: Evidence): RuntimeContainer {
  const { name, attempt, kind, image, hash } = record.spec
  const base = {
    id: record.id,
    name,
    attempt,
    kind,
    image,
    imageId: record.imageId,
    hash,
    createdAt: record.createdAt,
  }
  const started = start === undefined ? {} : { startedAt: start.started }
  if (exit !== undefined) return { ...base, ...started, state: 'exited', ...ending(exit) }
  if (start === undefined) return { ...base, state: 'created' }
  if (shimAlive) return { ...base, ...started, state: 'running' }
  return {
    ...base,
    ...started,
    state: 'unknown',
    message: sameBoot
      ? 'the shim of the container was killed, so nobody knows how the container ended'
      : 'the machine was restarted while the container ran',
  }
}

function ending(exit: ShimExit): Partial<RuntimeContainer> {
  return {
    finishedAt: exit.finished,
    exitCode: exit.code,
    ...(exit.signal === 0 ? {} : { signal: exit.signal }),
    ...(exit.outOfMemory
      ? {
          oomKilled: true,
          message: 'the container used more memory than its limit',
        }
      : {}),
    ...(exit.error === undefined ? {} : { message: exit.error }),
  }
}
