import type { RuntimeContainer } from '@continuo/workload'
import type { ContainerInspectInfo } from './daemon/daemon.ts'
import { readContainer } from './labels.ts'

const killed = 137

/** What the daemon says when a container never ran. */
const never = '0001-01-01T00:00:00Z'

const timeOf = (text: string | undefined): number | undefined => (text === undefined || text === never ? undefined : Date.parse(text))

const latest = (at: number | undefined, least: number | undefined): number | undefined =>
  at === undefined ? undefined : Math.max(at, least ?? at)

const states: Readonly<Record<string, RuntimeContainer['state']>> = {
  created: 'created',
  running: 'running',
  paused: 'running',
  restarting: 'running',
  removing: 'exited',
  exited: 'exited',
  dead: 'exited',
}

/** A container as the contract tells it. Pure. */
export function containerState({ Id, Image, Created, Config, State }: ContainerInspectInfo): RuntimeContainer {
  const { tty: _, ...identity } = readContainer(Config.Labels)
  const state = states[State.Status] ?? 'unknown'
  const startedAt = timeOf(State.StartedAt)
  return {
    id: Id,
    ...identity,
    imageId: Image,
    state,
    createdAt: Date.parse(Created),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(state === 'exited' ? ending(State) : {}),
  }
}

/**
 * How it ended. Docker calls a container killed for memory as soon as any of its processes was, and a code of 137 alone is anybody's
 * SIGKILL: only both together mean that it ended by its limit.
 */
function ending(state: ContainerInspectInfo['State']): Partial<RuntimeContainer> {
  const { FinishedAt, StartedAt, ExitCode, OOMKilled, Error: error } = state
  // Docker notes the start when it hears of it, which is after the end of a container that is quick.
  const finishedAt = latest(timeOf(FinishedAt), timeOf(StartedAt))
  const oomKilled = OOMKilled && ExitCode === killed
  return {
    ...(finishedAt === undefined ? {} : { finishedAt }),
    exitCode: ExitCode,
    ...(oomKilled ? { oomKilled, message: 'the container used more memory than its limit' } : {}),
    ...(error === '' ? {} : { message: error }),
  }
}
