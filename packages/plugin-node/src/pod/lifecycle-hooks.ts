import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Clock, ContinuoError } from '@continuo/core'
import type { Runtime } from '@continuo/workload'
import { CollectedOutput } from './collected-output.ts'
import type { ContainerView } from './model.ts'

type Handler = NonNullable<NonNullable<ContainerView['lifecycle']>['preStop']>

export interface HookTarget {
  readonly sandbox: string
  readonly container: ContainerView
  readonly podIP: string
}

/** Most of a handler's output that goes into its event. */
const maxOutputBytes = 512

/** Runs a `postStart` or `preStop` handler. Throws `NODE_HOOK_FAILED` with what went wrong. */
export async function runHook(runtime: Runtime, clock: Clock, handler: Handler, target: HookTarget, signal: AbortSignal): Promise<void> {
  if (handler.sleep !== undefined) return clock.sleep(handler.sleep.seconds * 1_000, signal)
  if (handler.exec !== undefined) {
    const output = new CollectedOutput(maxOutputBytes)
    const exitCode = await runtime.exec(
      { sandbox: target.sandbox, name: target.container.name },
      handler.exec.command ?? [],
      { stdout: output.stream(), stderr: output.stream(), tty: false },
      signal,
    )
    if (exitCode !== 0)
      throw new ContinuoError(
        'NODE_HOOK_FAILED',
        `command '${(handler.exec.command ?? []).join(' ')}' exited with ${exitCode}: ${output.text.trim()}`,
      )
    return
  }
  if (handler.httpGet !== undefined) return getOnce(handler.httpGet, target, signal)
  // `tcpSocket` is kept by the API for old objects and does nothing, as in Kubernetes.
}

function getOnce(get: NonNullable<Handler['httpGet']>, target: HookTarget, signal: AbortSignal): Promise<void> {
  const port = typeof get.port === 'number' ? get.port : target.container.ports?.find((other) => other.name === get.port)?.containerPort
  const request = get.scheme === 'HTTPS' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(new ContinuoError('NODE_HOOK_FAILED', `GET ${get.path ?? '/'} on port ${get.port} failed`, { cause }))
    const headers = Object.fromEntries((get.httpHeaders ?? []).map((header) => [header.name, header.value]))
    request({ host: get.host || target.podIP, port, path: get.path ?? '/', headers, rejectUnauthorized: false, signal }, (response) => {
      response.resume()
      if ((response.statusCode ?? 500) < 400) resolve()
      else fail(new ContinuoError('NODE_HOOK_FAILED', `answered ${response.statusCode}`))
    })
      .on('error', fail)
      .end()
  })
}
