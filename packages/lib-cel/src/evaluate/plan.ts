import { CelEvaluationError } from '../cel-error.ts'
import type { Checked, Resolved } from '../check/check.ts'
import { none, optionalOf } from '../functions/optionals.ts'
import type { Overload } from '../functions/overload.ts'
import type { Bind, Call, Conditional, Index, ListLiteral, Logic, MapLiteral, Node, Select, StructLiteral } from '../syntax/ast.ts'
import type { CelType } from '../types/cel-type.ts'
import { ArrayList, KeyedMap } from '../values/collections.ts'
import { CelList, CelMap, kindOf, OpaqueValue, Optional, sizeOf, typeNameOf, type Value } from '../values/value.ts'
import { absorbable, type Scope, type Step } from './frame.ts'
import { MessageValue } from './message-value.ts'
import { planFold } from './plan-fold.ts'

/** Turns a checked expression into closures. Each node charges as it runs, so that no expression outlives its budget. */
export class Planner {
  readonly #checked: Checked

  constructor(checked: Checked) {
    this.#checked = checked
  }

  step(node: Node, scope: Scope): Step {
    const typeName = this.#checked.typeNames.get(node)
    if (typeName !== undefined) return () => typeName
    switch (node.kind) {
      case 'literal': {
        const { value } = node
        return () => value
      }
      case 'identifier':
        return planVariable(node.name, scope)
      case 'select':
        return this.#select(node, scope)
      case 'index':
        return this.#index(node, scope)
      case 'call':
        return this.#call(node, scope)
      case 'list':
        return this.#list(node, scope)
      case 'map':
        return this.#map(node, scope)
      case 'struct':
        return this.#struct(node, scope)
      case 'logic':
        return this.#logic(node, scope)
      case 'conditional':
        return this.#conditional(node, scope)
      case 'fold':
        return planFold((part, inner) => this.step(part, inner), node, scope)
      case 'bind':
        return this.#bind(node, scope)
    }
  }

  #select(node: Select, scope: Scope): Step {
    const operand = this.step(node.operand, scope)
    const { field, test, optional } = node
    return (frame) => {
      const target = operand(frame)
      frame.meter.charge(1)
      if (target instanceof Optional) {
        // A null ends a chain like an absent value does.
        const inner = target.value === undefined || target.value === null ? undefined : fieldOf(target.value, field)
        return test ? inner !== undefined : optionalOf(inner)
      }
      if (test) return presence(target, field)
      const value = fieldOf(target, field)
      if (optional) return optionalOf(value)
      if (value === undefined) throw new CelEvaluationError(`no such key: ${field}`)
      return value
    }
  }

  #index(node: Index, scope: Scope): Step {
    const operand = this.step(node.operand, scope)
    const index = this.step(node.index, scope)
    return (frame) => {
      const target = operand(frame)
      const key = index(frame)
      frame.meter.charge(1)
      if (target instanceof Optional)
        return target.value === undefined || target.value === null ? none : optionalOf(elementOf(target.value, key))
      const value = elementOf(target, key)
      if (node.optional) return optionalOf(value)
      if (value !== undefined) return value
      throw new CelEvaluationError(target instanceof CelList ? `index out of bounds: ${String(key)}` : `no such key: ${String(key)}`)
    }
  }

  #call(node: Call, scope: Scope): Step {
    const resolved = this.#checked.calls.get(node) as Resolved
    const args = resolved.args.map((arg) => this.step(arg, scope))
    const [only] = resolved.overloads
    const isCertain =
      resolved.overloads.length === 1 &&
      only !== undefined &&
      resolved.args.every((arg, i) => isKnown(this.#checked.types.get(arg), only.parameters[i]))
    return (frame) => {
      const values = args.map((arg) => arg(frame))
      const overload = isCertain ? only : chosen(resolved, values)
      frame.meter.charge(overload.cost === undefined ? 1 : overload.cost(...values.map(sizeOf)))
      return overload.call(values, frame.meter)
    }
  }

  #list(node: ListLiteral, scope: Scope): Step {
    const elements = node.elements.map(({ value, optional }) => ({ step: this.step(value, scope), optional }))
    return (frame) => {
      frame.meter.charge(10)
      const items: Value[] = []
      for (const { step, optional } of elements) {
        const value = optional ? present(step(frame)) : step(frame)
        if (value !== undefined) items.push(value)
      }
      return new ArrayList(items)
    }
  }

  #map(node: MapLiteral, scope: Scope): Step {
    const entries = node.entries.map(({ key, value, optional }) => ({
      key: this.step(key, scope),
      step: this.step(value, scope),
      optional,
    }))
    return (frame) => {
      frame.meter.charge(30)
      const map = new KeyedMap()
      for (const { key, step, optional } of entries) {
        const name = key(frame)
        const value = optional ? present(step(frame)) : step(frame)
        if (value !== undefined) map.add(name, value)
      }
      return map
    }
  }

  #struct(node: StructLiteral, scope: Scope): Step {
    const fields = node.fields.map(({ name, value, optional }) => ({ name, step: this.step(value, scope), optional }))
    const type = this.#checked.messages.get(node)
    return (frame) => {
      frame.meter.charge(40)
      const values = new Map<string, Value>()
      for (const { name, step, optional } of fields) {
        const value = optional ? present(step(frame)) : step(frame)
        if (value !== undefined) values.set(name, value)
      }
      return new MessageValue(type?.name ?? node.name, values, (name) => type?.field(name)?.jsonName ?? name)
    }
  }

  /** An operand that decides absorbs the errors of all others, before it or after it. */
  #logic(node: Logic, scope: Scope): Step {
    const operands = node.operands.map((operand) => this.step(operand, scope))
    const decisive = node.operator === '||'
    return (frame) => {
      let failure: unknown
      for (const operand of operands) {
        try {
          const value = operand(frame)
          if (value === decisive) return decisive
          if (typeof value !== 'boolean') failure ??= new CelEvaluationError('no such overload')
        } catch (error) {
          failure ??= absorbable(error)
        }
      }
      if (failure !== undefined) throw failure
      return !decisive
    }
  }

  #conditional(node: Conditional, scope: Scope): Step {
    const test = this.step(node.test, scope)
    const yes = this.step(node.yes, scope)
    const no = this.step(node.no, scope)
    return (frame) => {
      const decision = test(frame)
      if (typeof decision !== 'boolean') throw new CelEvaluationError('no such overload')
      return decision ? yes(frame) : no(frame)
    }
  }

  #bind(node: Bind, scope: Scope): Step {
    const value = this.step(node.value, scope)
    const slot = scope.names.length
    const body = this.step(node.body, { names: [...scope.names, node.variable] })
    return (frame) => {
      const bound = value(frame)
      frame.meter.charge(1)
      if (node.optional === undefined) {
        frame.slots[slot] = bound
        return body(frame)
      }
      if (!(bound instanceof Optional)) throw new CelEvaluationError('no such overload')
      if (bound.value === undefined) return none
      frame.slots[slot] = bound.value
      const result = body(frame)
      return node.optional === 'map' ? optionalOf(result) : result
    }
  }
}

function planVariable(name: string, scope: Scope): Step {
  const slot = scope.names.lastIndexOf(name)
  if (slot < 0)
    return (frame) => {
      frame.meter.charge(1)
      return frame.variable(name)
    }
  return (frame) => {
    frame.meter.charge(1)
    return frame.slots[slot] as Value
  }
}

function fieldOf(target: Value, field: string): Value | undefined {
  if (target instanceof CelMap) return target.get(field)
  throw new CelEvaluationError(`no such overload: ${typeNameOf(target)}.${field}`)
}

function presence(target: Value, field: string): boolean {
  if (target instanceof CelMap) return target.has(field)
  throw new CelEvaluationError(`no such overload: has(${typeNameOf(target)}.${field})`)
}

function elementOf(target: Value, key: Value): Value | undefined {
  if (target instanceof CelMap) return target.get(key)
  if (!(target instanceof CelList)) throw new CelEvaluationError(`no such overload: ${typeNameOf(target)}[${typeNameOf(key)}]`)
  const index = typeof key === 'bigint' ? Number(key) : typeof key === 'number' ? key : Number.NaN
  if (!Number.isInteger(index)) throw new CelEvaluationError(`no such overload: list[${typeNameOf(key)}]`)
  return index >= 0 && index < target.size ? target.at(index) : undefined
}

function present(value: Value): Value | undefined {
  if (!(value instanceof Optional)) throw new CelEvaluationError(`no such overload: expected an optional value, got ${typeNameOf(value)}`)
  return value.value
}

/** Whether a type decides by itself that a parameter takes every value of it. */
const isKnown = (actual: CelType | undefined, declared: CelType | undefined): boolean =>
  declared?.kind === 'parameter' ||
  declared?.kind === 'dyn' ||
  (actual !== undefined && actual.kind === declared?.kind && !('nullable' in actual && actual.nullable === true))

function chosen({ name, overloads }: Resolved, values: readonly Value[]): Overload {
  const found = overloads.find(({ parameters }) => parameters.every((parameter, i) => accepts(parameter, values[i] as Value)))
  if (found === undefined) throw new CelEvaluationError(`no such overload: ${name}(${values.map(typeNameOf).join(', ')})`)
  return found
}

function accepts(parameter: CelType, value: Value): boolean {
  if (parameter.kind === 'parameter' || parameter.kind === 'dyn') return true
  const kind = kindOf(value)
  if (parameter.kind === 'opaque') return value instanceof OpaqueValue && value.typeName === parameter.name
  if (kind !== parameter.kind) return parameter.kind === 'map' && kind === 'object'
  if (parameter.kind !== 'list' || parameter.element.kind === 'parameter' || parameter.element.kind === 'dyn') return true
  const { element } = parameter
  return (value as CelList).size === 0 || accepts(element, (value as CelList).at(0))
}
