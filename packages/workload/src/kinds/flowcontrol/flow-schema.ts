import { type DeepReadonly, type FieldError, fieldError, jsonEqual } from '@continuo/core'
import type { FlowSchema as FlowSchemaObject } from '../../generated/types/flowcontrol-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isDnsSubdomain } from '../../rules/names.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkConditionTypes } from './condition-types.ts'
import { checkFlowRules } from './flow-rules.ts'
import { mandatoryFlowSchemas } from './mandatory.ts'

export type FlowSchema = FlowSchemaObject
/** Handle of flowschemas in flowcontrol.apiserver.k8s.io/v1. */
export const FlowSchema = kindOf<FlowSchema>('flowcontrol.apiserver.k8s.io/v1', 'flowschemas')

const maxPrecedence = 10_000
const defaultPrecedence = 1000

export const flowSchemaResource = workloadResource(FlowSchema, {
  table: table<FlowSchema>(
    nameColumn(),
    text('PriorityLevel', ({ spec }) => spec?.priorityLevelConfiguration?.name ?? '<none>'),
    text('MatchingPrecedence', ({ spec }) => String(spec?.matchingPrecedence ?? 0)),
    text('DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn(),
    text('MissingPL', ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?'),
  ),
  strategy: strategyOf<FlowSchema>({
    default({ spec }) {
      if (spec !== undefined) spec.matchingPrecedence ||= defaultPrecedence
    },
    validate(schema, errors) {
      checkPrecedence(schema, errors)
      const { spec, metadata, status } = schema
      const { distinguisherMethod, priorityLevelConfiguration: level } = spec ?? {}
      if (distinguisherMethod !== undefined && !['ByNamespace', 'ByUser'].includes(distinguisherMethod.type))
        errors.push(fieldError.notSupported('spec.distinguisherMethod.type', distinguisherMethod.type, ['ByNamespace', 'ByUser']))
      if (level?.name) checkName(isDnsSubdomain, level.name, 'spec.priorityLevelConfiguration.name', errors)
      else errors.push(fieldError.required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
      each(spec?.rules, 'spec.rules', (rule, path) => checkFlowRules(rule, path, errors))
      const fixed = mandatoryFlowSchemas[metadata.name ?? '']
      if (fixed !== undefined && !jsonEqual(spec, fixed))
        errors.push(fieldError.invalid('spec', spec, `spec of '${metadata.name}' must equal the fixed value`))
      checkConditionTypes(status?.conditions, errors)
    },
  }),
})

function checkPrecedence({ metadata, spec }: DeepReadonly<FlowSchema>, errors: FieldError[]): void {
  const { matchingPrecedence: value = 0 } = spec ?? {}
  const path = 'spec.matchingPrecedence'
  if (value <= 0) errors.push(fieldError.invalid(path, value, 'must be a positive value'))
  if (value > maxPrecedence) errors.push(fieldError.invalid(path, value, `must not be greater than ${maxPrecedence}`))
  if (value === 1 && metadata.name !== 'exempt')
    errors.push(fieldError.invalid(path, value, "only the schema named 'exempt' may have matchingPrecedence 1"))
}
