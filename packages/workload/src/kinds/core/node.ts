import { type DeepReadonly, type FieldError, fieldError, jsonEqual, labelValueFaults } from '@continuo/core'
import type { Node as NodeObject, Taint } from '../../generated/types/core-v1.ts'
import { checkName, isQualifiedName } from '../../rules/names.ts'
import { checkAmounts, checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, orNone, table, text, wide } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type Node = NodeObject
/** Handle of nodes in v1. */
export const Node = kindOf<Node>('v1', 'nodes')

const rolePrefix = 'node-role.kubernetes.io/'
const address = (node: DeepReadonly<Node>, type: string): string =>
  orNone(node.status?.addresses?.find((candidate) => candidate.type === type)?.address)
const orUnknown = (value: string | undefined): string => (value ? value : '<unknown>')

export const nodeResource = workloadResource(Node, {
  shortNames: ['no'],
  table: table<Node>(
    nameColumn(),
    text('Status', (node) => nodeStatus(node)),
    text('Roles', (node) => orNone(nodeRoles(node).join(','))),
    ageColumn(),
    text('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
    wide('Internal-IP', (node) => address(node, 'InternalIP')),
    wide('External-IP', (node) => address(node, 'ExternalIP')),
    wide('OS-Image', ({ status }) => orUnknown(status?.nodeInfo?.osImage)),
    wide('Kernel-Version', ({ status }) => orUnknown(status?.nodeInfo?.kernelVersion)),
    wide('Container-Runtime', ({ status }) => orUnknown(status?.nodeInfo?.containerRuntimeVersion)),
  ),
  selectableFields: { 'spec.unschedulable': (object) => String((object as unknown as Node).spec?.unschedulable ?? false) },
  strategy: strategyOf<Node>({
    default({ spec, status }) {
      // The older field is the first of the newer one.
      if (spec?.podCIDR && (spec.podCIDRs?.length ?? 0) === 0) spec.podCIDRs = [spec.podCIDR]
      else if (spec?.podCIDRs?.[0] !== undefined) spec.podCIDR ??= spec.podCIDRs[0]
      if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity }
    },
    validate({ spec, status }, errors) {
      checkTaints(spec?.taints ?? [], errors)
      checkAmounts(status?.capacity, 'status.capacity', errors)
      checkAmounts(status?.allocatable, 'status.allocatable', errors)
    },
    validateUpdate(next, old, errors) {
      for (const field of ['podCIDR', 'podCIDRs', 'providerID'] as const) {
        const before = old.spec?.[field]
        if (before !== undefined && before.length > 0 && !jsonEqual(next.spec?.[field], before))
          errors.push(
            fieldError.forbidden(
              `spec.${field}`,
              field === 'providerID'
                ? 'node updates may not change providerID except from "" to valid'
                : `node updates may not change ${field} except from "" to valid`,
            ),
          )
      }
    },
  }),
})

/** `Ready`, `NotReady` or `Unknown`, and whether new pods are kept away. */
export function nodeStatus(node: DeepReadonly<Node>): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node.spec?.unschedulable === true ? `${word},SchedulingDisabled` : word
}

/** The roles that labels give to a node, sorted. */
export function nodeRoles({ metadata }: DeepReadonly<Node>): readonly string[] {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length))
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value)
  }
  return [...roles].sort()
}

function checkTaints(taints: readonly DeepReadonly<Taint>[], errors: FieldError[]): void {
  const seen = new Set<string>()
  taints.forEach((taint, index) => {
    const path = `spec.taints[${index}]`
    checkName(isQualifiedName, taint.key, `${path}.key`, errors)
    for (const fault of labelValueFaults(taint.value ?? '')) errors.push(fieldError.invalid(`${path}.value`, taint.value, fault))
    checkOneOf(taint.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${path}.effect`, errors)
    const identity = `${taint.key} ${taint.effect}`
    if (seen.has(identity))
      errors.push({
        ...fieldError.duplicate(path, taint),
        message: `${fieldError.duplicate(path, taint).message}: taints must be unique by key and effect pair`,
      })
    seen.add(identity)
  })
}
