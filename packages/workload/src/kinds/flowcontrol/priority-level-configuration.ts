import { type DeepReadonly, type FieldError, fieldError, jsonEqual } from '@continuo/core'
import type {
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration as PriorityLevelConfigurationObject,
  QueuingConfiguration,
} from '../../generated/types/flowcontrol-v1.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkConditionTypes } from './condition-types.ts'
import { mandatoryPriorityLevels } from './mandatory.ts'

export type PriorityLevelConfiguration = PriorityLevelConfigurationObject
/** Handle of prioritylevelconfigurations in flowcontrol.apiserver.k8s.io/v1. */
export const PriorityLevelConfiguration = kindOf<PriorityLevelConfiguration>(
  'flowcontrol.apiserver.k8s.io/v1',
  'prioritylevelconfigurations',
)

const maxQueues = 10_000_000
/** Bits of the hash from which a request's hand of queues is dealt. */
const maxHashBits = 60
const none = '<none>'
const orNone = (value: number | undefined): string => (value === undefined ? none : String(value))

export const priorityLevelConfigurationResource = workloadResource(PriorityLevelConfiguration, {
  table: table<PriorityLevelConfiguration>(
    nameColumn(),
    text('Type', ({ spec }) => spec?.type ?? ''),
    text('NominalConcurrencyShares', ({ spec }) =>
      orNone(spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares),
    ),
    text('Queues', ({ spec }) => orNone(spec?.limited?.limitResponse?.queuing?.queues)),
    text('HandSize', ({ spec }) => orNone(spec?.limited?.limitResponse?.queuing?.handSize)),
    text('QueueLengthLimit', ({ spec }) => orNone(spec?.limited?.limitResponse?.queuing?.queueLengthLimit)),
    ageColumn(),
  ),
  strategy: strategyOf<PriorityLevelConfiguration>({
    default({ spec }) {
      const { limited, exempt } = spec ?? {}
      if (exempt !== undefined) {
        exempt.nominalConcurrencyShares ??= 0
        exempt.lendablePercent ??= 0
      }
      if (limited === undefined) return
      limited.nominalConcurrencyShares ??= 30
      limited.lendablePercent ??= 0
      const queuing = limited.limitResponse?.queuing
      if (queuing === undefined) return
      queuing.queues ||= 64
      queuing.handSize ||= 8
      queuing.queueLengthLimit ||= 50
    },
    validate(level, errors) {
      checkType(level, errors)
      checkFixed(level, errors)
      checkConditionTypes(level.status?.conditions, errors)
    },
  }),
})

function checkType({ metadata, spec }: DeepReadonly<PriorityLevelConfiguration>, errors: FieldError[]): void {
  const { type = '', limited, exempt } = spec ?? {}
  if ((metadata.name === 'exempt') !== (type === 'Exempt'))
    errors.push(fieldError.invalid('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"))
  if (type === 'Exempt') {
    if (limited !== undefined) errors.push(fieldError.forbidden('spec.limited', 'must be nil if the type is not Limited'))
    if (exempt === undefined) errors.push(fieldError.required('spec.exempt', 'must not be empty when type is Exempt'))
    else checkShares(exempt, 'spec.exempt', errors)
  } else if (type === 'Limited') {
    if (exempt !== undefined) errors.push(fieldError.forbidden('spec.exempt', 'must be nil if the type is Limited'))
    if (limited === undefined) errors.push(fieldError.required('spec.limited', 'must not be empty when type is Limited'))
    else checkLimited(limited, errors)
  } else errors.push(fieldError.notSupported('spec.type', type, ['Exempt', 'Limited']))
}

function checkShares(
  { nominalConcurrencyShares: shares = 0, lendablePercent: lent = 0 }: DeepReadonly<LimitedPriorityLevelConfiguration>,
  path: string,
  errors: FieldError[],
): void {
  if (shares < 0) errors.push(fieldError.invalid(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'))
  if (lent < 0 || lent > 100) errors.push(fieldError.invalid(`${path}.lendablePercent`, lent, 'must be between 0 and 100, inclusive'))
}

function checkLimited(limited: DeepReadonly<LimitedPriorityLevelConfiguration>, errors: FieldError[]): void {
  checkShares(limited, 'spec.limited', errors)
  const { borrowingLimitPercent: borrowed = 0, limitResponse } = limited
  if (borrowed < 0)
    errors.push(fieldError.invalid('spec.limited.borrowingLimitPercent', borrowed, 'if specified, must be a non-negative integer'))
  checkResponse(limitResponse, 'spec.limited.limitResponse', errors)
}

function checkResponse(response: DeepReadonly<LimitResponse> | undefined, path: string, errors: FieldError[]): void {
  const { type = '', queuing } = response ?? {}
  if (type === 'Reject') {
    if (queuing !== undefined)
      errors.push(fieldError.forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'))
  } else if (type === 'Queue') {
    if (queuing === undefined)
      errors.push(fieldError.required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'))
    else checkQueuing(queuing, `${path}.queuing`, errors)
  } else errors.push(fieldError.notSupported(`${path}.type`, type, ['Queue', 'Reject']))
}

function checkQueuing(queuing: DeepReadonly<QueuingConfiguration>, path: string, errors: FieldError[]): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing
  if (queueLengthLimit <= 0) errors.push(fieldError.invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'))
  if (queues <= 0) errors.push(fieldError.invalid(`${path}.queues`, queues, 'must be positive'))
  else if (queues > maxQueues) errors.push(fieldError.invalid(`${path}.queues`, queues, `must not be greater than ${maxQueues}`))
  if (handSize <= 0) errors.push(fieldError.invalid(`${path}.handSize`, handSize, 'must be positive'))
  else if (handSize > queues) errors.push(fieldError.invalid(`${path}.handSize`, handSize, `should not be greater than queues (${queues})`))
  else if (entropyBits(queues, handSize) > maxHashBits)
    errors.push(
      fieldError.invalid(
        `${path}.handSize`,
        handSize,
        `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`,
      ),
    )
}

/** Bits that it takes to deal a hand from a deck. Bounded: a hand of more cards than there are bits never fits. */
function entropyBits(deck: number, hand: number): number {
  let bits = 0
  for (let dealt = 0; dealt < hand && bits <= maxHashBits; dealt++) bits += Math.log2(deck - dealt)
  return Math.ceil(bits)
}

function checkFixed({ metadata, spec }: DeepReadonly<PriorityLevelConfiguration>, errors: FieldError[]): void {
  const name = metadata.name ?? ''
  const fixed = mandatoryPriorityLevels[name]
  if (fixed === undefined) return
  const mayDiffer = name === 'exempt' ? { exempt: spec?.exempt } : {}
  if (jsonEqual(spec, { ...fixed, ...mayDiffer })) return
  const but = name === 'exempt' ? " except the 'spec.exempt' field" : ''
  errors.push(fieldError.invalid('spec', spec, `spec of '${name}'${but} must equal the fixed value`))
}
