import { one } from '../../amounts/amounts.ts'
import type { Evaluator } from '../evaluator.ts'

/** Resources that could be counted before any could, by their bare names. */
const bareNames = new Set(['configmaps', 'replicationcontrollers', 'resourcequotas', 'secrets'])

/** `count/deployments.apps`, `count/configmaps`. */
export const countName = (group: string, plural: string): string => `count/${plural}${group === '' ? '' : `.${group}`}`

/** Counts objects of any resource. */
export function objectEvaluator(group: string, plural: string): Evaluator {
  const name = countName(group, plural)
  const bare = group === '' && bareNames.has(plural) ? plural : undefined
  return {
    handles: ({ operation, subresource }) => operation === 'CREATE' && subresource === undefined,
    counts: (wanted) => wanted === name || wanted === bare,
    usage: () => new Map([name, ...(bare === undefined ? [] : [bare])].map((each) => [each, one])),
  }
}
