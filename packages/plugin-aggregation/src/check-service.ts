import { type DeepReadonly, formatTime } from '@continuo/core'
import type { APIService, EndpointSlice, Service } from '@continuo/workload'

/** Why a server can be asked, or not: reason and message of the condition `Available`. */
export interface Availability {
  readonly available: boolean
  readonly reason: string
  readonly message: string
}

type Reference = NonNullable<NonNullable<DeepReadonly<APIService>['spec']>['service']>
type Condition = NonNullable<NonNullable<APIService['status']>['conditions']>[number]

const not = (reason: string, message: string): Availability => ({ available: false, reason, message })

/** What speaks against a server before it is asked; undefined: nothing. In the words of Kubernetes. Pure. */
export function objectionTo(
  { name = '', namespace = '', port: number = 443 }: Reference,
  service: DeepReadonly<Service> | undefined,
  slices: readonly DeepReadonly<EndpointSlice>[],
): Availability | undefined {
  const where = JSON.stringify(namespace)
  if (service === undefined) return not('ServiceNotFound', `service/${name} in ${where} is not present`)
  if (service.spec?.type === 'ExternalName') return undefined
  const port = service.spec?.ports?.find((one) => one.port === number)
  if (port === undefined) return not('ServicePortError', `service/${name} in ${where} is not listening on port ${number}`)
  if (slices.length === 0) return not('EndpointsNotFound', `cannot find endpointslices for service/${name} in ${where}`)
  const ready = slices.some(
    ({ endpoints, ports }) =>
      ports?.some((one) => (one.name ?? '') === (port.name ?? '')) === true &&
      endpoints?.some(({ conditions }) => conditions?.ready !== false) === true,
  )
  if (!ready)
    return not(
      'MissingEndpoints',
      `endpointslices for service/${name} in ${where} have no addresses with port name ${JSON.stringify(port.name ?? '')}`,
    )
  return undefined
}

export const failedCheck = (where: string, why: string): Availability =>
  not('FailedDiscoveryCheck', `failing or missing response from ${where}: ${why}`)

export const passed: Availability = { available: true, reason: 'Passed', message: 'all checks passed' }

/** The condition as it shall stand; undefined when it stands there already. Pure. */
export function availableCondition(
  service: DeepReadonly<APIService>,
  { available, reason, message }: Availability,
  now: number,
): Condition | undefined {
  const status = available ? 'True' : 'False'
  const found = service.status?.conditions?.find(({ type }) => type === 'Available')
  if (found?.status === status && found.reason === reason && found.message === message) return undefined
  const since = found?.status === status ? found.lastTransitionTime : undefined
  return { type: 'Available', status, reason, message, lastTransitionTime: since ?? formatTime(now) }
}
