import { CelEvaluationError } from '../cel-error.ts'
import type { Fold, Node } from '../syntax/ast.ts'
import { ArrayList, elementsOf, KeyedMap } from '../values/collections.ts'
import { CelList, CelMap, typeNameOf, type Value } from '../values/value.ts'
import { absorbable, type Frame, type Scope, type Step } from './frame.ts'

/** Runs for each element with its variables set; false ends the fold. */
type Visit = (frame: Frame, key: Value) => boolean

/** Plans a macro over a list or map. Charges for each element, whatever the body costs. */
export function planFold(plan: (node: Node, scope: Scope) => Step, node: Fold, scope: Scope): Step {
  const range = plan(node.range, scope)
  const slot = scope.names.length
  const inner: Scope = { names: [...scope.names, ...node.variables] }
  const predicate = node.predicate === undefined ? undefined : plan(node.predicate, inner)
  const transform = node.transform === undefined ? undefined : plan(node.transform, inner)
  const isPair = node.variables.length === 2
  const each = (frame: Frame, visit: Visit): void => {
    const values = range(frame)
    if (!(values instanceof CelList) && !(values instanceof CelMap))
      throw new CelEvaluationError(`no such overload: ${node.macro} of ${typeNameOf(values)}`)
    const elements = elementsOf(values)
    for (let i = 0; i < elements.length; i++) {
      frame.meter.charge(3)
      const element = elements[i] as Value
      const key = values instanceof CelMap ? element : BigInt(i)
      frame.slots[slot] = isPair ? key : element
      if (isPair) frame.slots[slot + 1] = values instanceof CelMap ? (values.get(element) as Value) : element
      if (!visit(frame, key)) return
    }
  }
  const takes = (frame: Frame): boolean => {
    const taken = predicate === undefined ? true : predicate(frame)
    if (typeof taken !== 'boolean') throw new CelEvaluationError('no such overload')
    return taken
  }
  const value: Step = transform ?? ((frame) => frame.slots[slot] as Value)
  switch (node.macro) {
    case 'all':
      return planQuantifier(each, takes, false)
    case 'exists':
      return planQuantifier(each, takes, true)
    case 'exists_one':
      return (frame) => {
        let count = 0
        each(frame, () => {
          if (takes(frame)) count++
          return true
        })
        return count === 1
      }
    case 'map':
    case 'filter':
    case 'transformList':
      return (frame) => {
        frame.meter.charge(10)
        const items: Value[] = []
        each(frame, () => {
          if (takes(frame)) {
            frame.meter.charge(10)
            items.push(value(frame))
          }
          return true
        })
        return new ArrayList(items)
      }
    default:
      return planMap(each, takes, value, node.macro === 'transformMapEntry')
  }
}

/** Stops at the element that decides; an error counts only when none does. */
function planQuantifier(each: (frame: Frame, visit: Visit) => void, takes: (frame: Frame) => boolean, decisive: boolean): Step {
  return (frame) => {
    let failure: unknown
    let decided = false
    each(frame, () => {
      try {
        decided = takes(frame) === decisive
      } catch (error) {
        failure ??= absorbable(error)
      }
      return !decided
    })
    if (decided) return decisive
    if (failure !== undefined) throw failure
    return !decisive
  }
}

function planMap(each: (frame: Frame, visit: Visit) => void, takes: (frame: Frame) => boolean, value: Step, hasEntries: boolean): Step {
  return (frame) => {
    frame.meter.charge(30)
    const map = new KeyedMap()
    each(frame, (_frame, key) => {
      if (!takes(frame)) return true
      frame.meter.charge(10)
      const made = value(frame)
      if (!hasEntries) map.add(key, made)
      else if (made instanceof CelMap) for (const name of made.keys()) map.add(name, made.get(name) as Value)
      else throw new CelEvaluationError('no such overload')
      return true
    })
    return map
  }
}
