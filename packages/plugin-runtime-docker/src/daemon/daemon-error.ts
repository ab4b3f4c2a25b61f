import { isRuntimeError, RuntimeError, type RuntimeErrorCode } from '@continuo/workload'

/** What dockerode throws: a status and what the daemon said, or an error of the connection. */
interface DaemonFailure {
  readonly statusCode?: number
  readonly code?: string
  readonly name?: string
  readonly message?: string
  readonly json?: { readonly message?: string } | Buffer
}

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'start dockerd, or name its socket with the option socket',
  ECONNREFUSED: 'start dockerd: its socket is there but nobody listens',
  EACCES: 'run the agent as root or as a member of the group docker',
  EPERM: 'run the agent as root or as a member of the group docker',
  ECONNRESET: 'dockerd ended while it was asked; it is asked again',
  EPIPE: 'dockerd ended while it was asked; it is asked again',
  ABORT_ERR: 'dockerd does not answer; look at its log',
}

/** The status that the daemon answered with; undefined when there was no answer. */
export const statusOf = (error: unknown): number | undefined => (error as DaemonFailure | undefined)?.statusCode

/** What the daemon said, without what dockerode puts around it. */
export function saying(error: unknown): string {
  const { json, message } = (error ?? {}) as DaemonFailure
  if (json !== undefined && json !== null && 'message' in json && typeof json.message === 'string') return json.message.trim()
  return (message ?? String(error)).trim()
}

/**
 * An error of the daemon as the contract's. Without an answer it is `RUNTIME_UNAVAILABLE` whatever was asked; with one it is `code`.
 * @param what What could not be done, on which object: `make the sandbox of pod default/web`.
 */
export function runtimeError(error: unknown, what: string, code: RuntimeErrorCode, hint?: string): RuntimeError {
  if (isRuntimeError(error)) return error
  const { statusCode, code: reason = '', name } = (error ?? {}) as DaemonFailure
  if (statusCode !== undefined)
    return new RuntimeError(code, `cannot ${what}: ${saying(error)}`, { cause: error, ...(hint === undefined ? {} : { hint }) })
  const known = hints[reason] ?? (name === 'AbortError' ? hints.ABORT_ERR : undefined) ?? 'see whether dockerd runs: docker info'
  return new RuntimeError('RUNTIME_UNAVAILABLE', `cannot ${what}: Docker is not available: ${saying(error)}`, { cause: error, hint: known })
}
