import { spawn } from 'node:child_process'
import { ContinuoError } from '@continuo/core'

export interface ToolRun {
  readonly stdout: string
  readonly stderr: string
  /** Exit code; null when it was ended by the deadline or a signal. */
  readonly code: number | null
}

export interface ToolOptions {
  readonly input?: string | Iterable<string>
  /** Milliseconds after which it is killed. Default: 60,000. */
  readonly timeoutMs?: number
}

/** What a tool may print before it is cut off: a machine with a million connections lists them in about 200 MB. */
const maxOutput = 256 * 1024 * 1024

/**
 * Runs a tool to its end, whatever its exit code.
 * @throws ContinuoError `NETFILTER_TOOL_MISSING` when there is no such program, `NETFILTER_TOOL_FAILED` when it cannot be started or prints without end.
 */
export async function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
      env: { ...process.env, LC_ALL: 'C' },
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let size = 0
    const gather = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxOutput) into.push(chunk)
      else child.kill('SIGKILL')
    }
    child.stdout.on('data', gather(stdout))
    child.stderr.on('data', gather(stderr))
    child.on('error', (error: NodeJS.ErrnoException) => reject(cannotStart(command, error)))
    child.on('close', (code) =>
      size > maxOutput
        ? reject(new ContinuoError('NETFILTER_TOOL_FAILED', `${command} prints more than ${maxOutput} bytes`))
        : resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code }),
    )
    // It may end before it has read everything; its exit code tells why.
    child.stdin.on('error', () => {})
    for (const part of typeof options.input === 'string' ? [options.input] : (options.input ?? [])) child.stdin.write(part)
    child.stdin.end()
  })
}

function cannotStart(command: string, error: NodeJS.ErrnoException): ContinuoError {
  return error.code === 'ENOENT'
    ? new ContinuoError('NETFILTER_TOOL_MISSING', `there is no program ${command} on this machine`, {
        cause: error,
        hint: 'install it; on Debian it is in the package of the same name (nft: nftables; iptables-restore: iptables)',
      })
    : new ContinuoError('NETFILTER_TOOL_FAILED', `${command} cannot be started: ${error.message}`, { cause: error })
}
