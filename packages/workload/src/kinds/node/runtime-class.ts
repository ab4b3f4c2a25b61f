import type { RuntimeClass as RuntimeClassObject } from '../../generated/types/node-v1.ts'
import { checkRequiredName, isDnsLabel } from '../../rules/names.ts'
import { checkAmounts, checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type RuntimeClass = RuntimeClassObject
/** Handle of runtimeclasses in node.k8s.io/v1. */
export const RuntimeClass = kindOf<RuntimeClass>('node.k8s.io/v1', 'runtimeclasses')

export const runtimeClassResource = workloadResource(RuntimeClass, {
  table: table<RuntimeClass>(
    nameColumn(),
    text('Handler', ({ handler }) => handler),
    ageColumn(),
  ),
  strategy: strategyOf<RuntimeClass>({
    validate({ handler, overhead }, errors) {
      checkRequiredName(isDnsLabel, handler, 'handler', errors)
      checkAmounts(overhead?.podFixed, 'overhead.podFixed', errors)
    },
    validateUpdate: (next, old, errors) => checkImmutable(next.handler, old.handler, 'handler', errors),
  }),
})
