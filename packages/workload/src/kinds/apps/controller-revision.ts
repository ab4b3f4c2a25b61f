import { controllerOf, parseApiVersion } from '@continuo/core'
import type { ControllerRevision as ControllerRevisionObject } from '../../generated/types/apps-v1.ts'
import { checkImmutable, checkNotNegative } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type ControllerRevision = ControllerRevisionObject
/** Handle of controllerrevisions in apps/v1. */
export const ControllerRevision = kindOf<ControllerRevision>('apps/v1', 'controllerrevisions')

export const controllerRevisionResource = workloadResource(ControllerRevision, {
  table: table<ControllerRevision>(
    nameColumn(),
    text('Controller', (revision) => {
      const owner = controllerOf(revision)
      if (owner === undefined) return '<none>'
      const { group } = parseApiVersion(owner.apiVersion)
      return `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${owner.name}`
    }),
    integer('Revision', ({ revision }) => revision),
    ageColumn(),
  ),
  strategy: strategyOf<ControllerRevision>({
    validate: ({ revision }, errors) => checkNotNegative(revision, 'revision', errors),
    validateUpdate: (next, old, errors) => checkImmutable(next.data, old.data, 'data', errors),
  }),
})
