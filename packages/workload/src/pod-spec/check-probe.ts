import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '../generated/types/core-v1.ts'
import { checkNotNegative, checkOneOf, checkPort, checkPortNumber } from '../rules/values.ts'

/** A probe of a container; `startup` and `liveness` ones succeed by a single success. */
export function checkProbe(
  probe: DeepReadonly<Probe> | undefined,
  path: string,
  role: 'liveness' | 'readiness' | 'startup',
  errors: FieldError[],
): void {
  if (probe === undefined) return
  checkHandler(probe, path, ['exec', 'httpGet', 'tcpSocket', 'grpc'], errors)
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const)
    checkNotNegative(probe[field], `${path}.${field}`, errors)
  const grace = probe.terminationGracePeriodSeconds
  if (grace !== undefined && role === 'readiness')
    errors.push(fieldError.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'))
  else if (grace !== undefined && grace <= 0)
    errors.push(fieldError.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'))
  if (role !== 'readiness' && (probe.successThreshold ?? 1) !== 1)
    errors.push(fieldError.invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'))
}

/** What runs after a container started and before it stops. */
export function checkLifecycle(lifecycle: DeepReadonly<Lifecycle> | undefined, grace: number, path: string, errors: FieldError[]): void {
  for (const moment of ['postStart', 'preStop'] as const) {
    const handler = lifecycle?.[moment]
    if (handler === undefined) continue
    checkHandler(handler, `${path}.${moment}`, ['exec', 'httpGet', 'tcpSocket', 'sleep'], errors)
    const seconds = handler.sleep?.seconds
    if (seconds !== undefined && (seconds < 0 || seconds > grace))
      errors.push(
        fieldError.invalid(
          `${path}.${moment}.sleep`,
          seconds,
          `must be non-negative and less than terminationGracePeriodSeconds (${grace}).`,
        ),
      )
  }
}

type Handler = LifecycleHandler & {
  exec?: ExecAction
  httpGet?: HTTPGetAction
  tcpSocket?: TCPSocketAction
  grpc?: GRPCAction
  sleep?: SleepAction
}

function checkHandler(handler: DeepReadonly<Handler>, path: string, kinds: readonly (keyof Handler)[], errors: FieldError[]): void {
  const given = kinds.filter((kind) => handler[kind] !== undefined)
  if (given.length === 0) errors.push(fieldError.required(path, 'must specify a handler type'))
  for (const kind of given.slice(1)) errors.push(fieldError.forbidden(`${path}.${kind}`, 'may not specify more than 1 handler type'))
  const { exec, httpGet, tcpSocket, grpc } = handler
  if (exec !== undefined && (exec.command?.length ?? 0) === 0) errors.push(fieldError.required(`${path}.exec.command`))
  if (httpGet !== undefined) {
    if (!httpGet.path) errors.push(fieldError.required(`${path}.httpGet.path`))
    checkPort(httpGet.port, `${path}.httpGet.port`, errors)
    checkOneOf(httpGet.scheme, ['HTTP', 'HTTPS'], `${path}.httpGet.scheme`, errors)
    httpGet.httpHeaders?.forEach((header, index) => {
      if (!/^[-A-Za-z0-9]+$/.test(header.name))
        errors.push(
          fieldError.invalid(
            `${path}.httpGet.httpHeaders[${index}].name`,
            header.name,
            "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
          ),
        )
    })
  }
  if (tcpSocket !== undefined) checkPort(tcpSocket.port, `${path}.tcpSocket.port`, errors)
  if (grpc !== undefined) checkPortNumber(grpc.port, `${path}.grpc.port`, errors)
}
