import { CelCompileError } from '../cel-error.ts'
import type { Overload } from '../functions/overload.ts'
import type { FunctionTable } from '../functions/standard-library.ts'
import type { Bind, Call, Conditional, Fold, Index, ListLiteral, Logic, MapLiteral, Node, Select, StructLiteral } from '../syntax/ast.ts'
import { qualifiedName } from '../syntax/parser.ts'
import { assign, type Bindings, join, substitute } from '../types/assign.ts'
import { type CelType, cel, isDynamic, isOptional, type ObjectType, showType } from '../types/cel-type.ts'
import { TypeValue } from '../values/value.ts'

/** What an expression may name. */
export interface Environment {
  readonly variables: Readonly<Record<string, CelType>>
  readonly functions: readonly FunctionTable[]
  /** Messages that may be written as literals, by name. */
  readonly message?: (name: string) => ObjectType | undefined
}

/** A call whose forms are known: one when types decide, several when values will. */
export interface Resolved {
  readonly name: string
  readonly args: readonly Node[]
  readonly overloads: readonly Overload[]
}

/** An expression whose every node has a type. */
export interface Checked {
  readonly root: Node
  readonly type: CelType
  readonly types: ReadonlyMap<Node, CelType>
  readonly calls: ReadonlyMap<Node, Resolved>
  /** Names of types that stand for themselves. */
  readonly typeNames: ReadonlyMap<Node, TypeValue>
  readonly messages: ReadonlyMap<Node, ObjectType>
}

const typeNames = new Set(
  'bool bytes double duration int list map null_type string timestamp type uint google.protobuf.Duration google.protobuf.Timestamp optional_type net.IP net.CIDR kubernetes.Quantity kubernetes.URL'.split(
    ' ',
  ),
)

/** Gives each node its type. Throws {@link CelCompileError} at the first fault. */
export function check(source: string, root: Node, environment: Environment): Checked {
  const checker = new Checker(source, environment)
  const type = checker.type(root)
  return { root, type, types: checker.types, calls: checker.calls, typeNames: checker.typeNames, messages: checker.messages }
}

class Checker {
  readonly types = new Map<Node, CelType>()
  readonly calls = new Map<Node, Resolved>()
  readonly typeNames = new Map<Node, TypeValue>()
  readonly messages = new Map<Node, ObjectType>()
  readonly #source: string
  readonly #environment: Environment
  /** Within the arguments of `format`, where literals may mix types. */
  #mixes = false
  /** Variables of the macros around, innermost last. */
  readonly #scope: (readonly [string, CelType])[] = []

  constructor(source: string, environment: Environment) {
    this.#source = source
    this.#environment = environment
  }

  #fail(node: Node, detail: string): never {
    throw new CelCompileError(this.#source, node.at, detail)
  }

  type(node: Node): CelType {
    const type = this.#typeOf(node)
    this.types.set(node, type)
    return type
  }

  #typeOf(node: Node): CelType {
    switch (node.kind) {
      case 'literal':
        return literalType(node.value)
      case 'identifier':
        return this.#named(node, node.name) ?? this.#fail(node, `undeclared reference to '${node.name}' (in container '')`)
      case 'select':
        return this.#select(node)
      case 'index':
        return this.#index(node)
      case 'call':
        return this.#call(node)
      case 'list':
        return this.#list(node)
      case 'map':
        return this.#map(node)
      case 'struct':
        return this.#struct(node)
      case 'logic':
        return this.#logic(node)
      case 'conditional':
        return this.#conditional(node)
      case 'fold':
        return this.#fold(node)
      case 'bind':
        return this.#bind(node)
    }
  }

  /** A variable, or the name of a type. */
  #named(node: Node, name: string): CelType | undefined {
    const local = this.#scope.findLast(([candidate]) => candidate === name)
    if (local !== undefined) return local[1]
    const { variables } = this.#environment
    if (Object.hasOwn(variables, name)) return variables[name]
    if (!typeNames.has(name)) return undefined
    this.typeNames.set(
      node,
      new TypeValue(
        name === 'timestamp' || name === 'duration' ? `google.protobuf.${name === 'timestamp' ? 'Timestamp' : 'Duration'}` : name,
      ),
    )
    return cel.type
  }

  #isDeclared(name: string): boolean {
    return this.#scope.some(([candidate]) => candidate === name) || Object.hasOwn(this.#environment.variables, name)
  }

  #select(node: Select): CelType {
    const qualified = node.test ? undefined : qualifiedName(node)
    if (qualified !== undefined && !this.#isDeclared(qualified.slice(0, qualified.indexOf('.')))) {
      const type = this.#named(node, qualified)
      if (type !== undefined) return type
    }
    const operand = this.type(node.operand)
    const chained = isOptional(operand)
    const target = chained ? (operand.parameters[0] as CelType) : operand
    const field = this.#field(node, target)
    if (node.test) return cel.bool
    return chained || node.optional ? cel.optional(field) : field
  }

  #field(node: Select, target: CelType): CelType {
    if (isDynamic(target)) return cel.dyn
    if (target.kind === 'map') return target.value
    if (target.kind !== 'object') return this.#fail(node, `type '${showType(target)}' does not support field selection`)
    return target.field(node.field)?.type ?? this.#fail(node, `undefined field '${node.field}'`)
  }

  #index(node: Index): CelType {
    const operand = this.type(node.operand)
    const index = this.type(node.index)
    const chained = isOptional(operand)
    const target = chained ? (operand.parameters[0] as CelType) : operand
    const element = this.#element(node, target, index)
    return chained || node.optional ? cel.optional(element) : element
  }

  #element(node: Index, target: CelType, index: CelType): CelType {
    if (isDynamic(target)) return cel.dyn
    const fits =
      target.kind === 'list'
        ? isDynamic(index) || index.kind === 'int' || index.kind === 'uint' || index.kind === 'double'
        : target.kind === 'map' && assign(index, target.key, new Map())
    if (!fits || (target.kind !== 'list' && target.kind !== 'map'))
      return this.#fail(node, `found no matching overload for '_[_]' applied to '(${showType(target)}, ${showType(index)})'`)
    return target.kind === 'list' ? target.element : target.value
  }

  #call(node: Call): CelType {
    const { name, target } = node
    if (target === undefined) return this.#resolve(node, name, false, node.args)
    // `sets.contains(…)` is a function of a longer name, unless `sets` is a variable.
    const qualifier = qualifiedName(target)
    if (qualifier !== undefined && !this.#isDeclared(qualifier.split('.')[0] as string)) {
      const full = `${qualifier}.${name}`
      if (this.#find(full, false).length > 0) return this.#resolve(node, full, false, node.args)
    }
    return this.#resolve(node, name, true, [target, ...node.args])
  }

  #find(name: string, isMethod: boolean): readonly Overload[] {
    return this.#environment.functions.flatMap((table) => table.find(name, isMethod) ?? [])
  }

  #resolve(node: Call, name: string, isMethod: boolean, args: readonly Node[]): CelType {
    const mixed = this.#mixes
    this.#mixes ||= isMethod && name === 'format'
    const types = args.map((arg) => this.type(arg))
    this.#mixes = mixed
    const all = this.#find(name, isMethod)
    if (all.length === 0) return this.#fail(node, `undeclared reference to '${name}' (in container '')`)
    const fitting: Overload[] = []
    let result: CelType | undefined
    for (const overload of all) {
      const bindings: Bindings = new Map()
      if (
        overload.parameters.length !== types.length ||
        !types.every((type, i) => assign(type, overload.parameters[i] as CelType, bindings))
      )
        continue
      const type = substitute(overload.result, bindings)
      result = result === undefined ? type : (join(result, type) ?? cel.dyn)
      fitting.push(overload)
    }
    if (result === undefined) {
      const shown = types.map(showType)
      const applied = isMethod ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`
      return this.#fail(node, `found no matching overload for '${name}' applied to '${applied}'`)
    }
    this.calls.set(node, { name, args, overloads: fitting })
    return result
  }

  #list(node: ListLiteral): CelType {
    let element: CelType = cel.free
    for (const { value, optional } of node.elements) element = this.#joined(value, element, this.#unwrapped(value, optional))
    return cel.list(element, node.elements.length)
  }

  #map(node: MapLiteral): CelType {
    let [keys, values]: [CelType, CelType] = [cel.free, cel.free]
    for (const { key, value, optional } of node.entries) {
      keys = this.#joined(key, keys, this.type(key))
      values = this.#joined(value, values, this.#unwrapped(value, optional))
    }
    return cel.map(keys, values, node.entries.length)
  }

  #unwrapped(node: Node, optional: boolean): CelType {
    const type = this.type(node)
    if (!optional || isDynamic(type)) return type
    return isOptional(type)
      ? (type.parameters[0] as CelType)
      : this.#fail(node, `expected type 'optional_type' but found '${showType(type)}'`)
  }

  /** Literals hold one type: anything else must be said with `dyn()`. */
  #joined(node: Node, known: CelType, type: CelType): CelType {
    return (
      join(known, type) ??
      (this.#mixes ? cel.dyn : undefined) ??
      this.#fail(node, `expected type '${showType(known)}' but found '${showType(type)}'`)
    )
  }

  #struct(node: StructLiteral): CelType {
    const message = this.#environment.message?.(node.name)
    if (message === undefined) return this.#fail(node, `undeclared reference to '${node.name}' (in container '')`)
    for (const { name, value, optional } of node.fields) {
      const field = message.field(name)
      if (field === undefined) return this.#fail(node, `undefined field '${name}'`)
      const type = this.#unwrapped(value, optional)
      if (!assign(type, field.type, new Map()))
        this.#fail(value, `expected type of field '${name}' is '${showType(field.type)}' but provided type is '${showType(type)}'`)
    }
    this.messages.set(node, message)
    return message
  }

  #logic(node: Logic): CelType {
    for (const operand of node.operands) this.#condition(operand, `_${node.operator}_`)
    return cel.bool
  }

  #condition(node: Node, name: string): void {
    const type = this.type(node)
    if (!isDynamic(type) && type.kind !== 'bool') this.#fail(node, `expected type 'bool' but found '${showType(type)}' in '${name}'`)
  }

  #conditional(node: Conditional): CelType {
    this.#condition(node.test, '_?_:_')
    const yes = this.type(node.yes)
    const no = this.type(node.no)
    return (
      join(yes, no) ?? this.#fail(node, `found no matching overload for '_?_:_' applied to '(bool, ${showType(yes)}, ${showType(no)})'`)
    )
  }

  #fold(node: Fold): CelType {
    const range = this.type(node.range)
    if (!isDynamic(range) && range.kind !== 'list' && range.kind !== 'map')
      this.#fail(node.range, `expression of type '${showType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`)
    const isPair = node.variables.length === 2
    const [key, value]: [CelType, CelType] =
      range.kind === 'list' ? [cel.int, range.element] : range.kind === 'map' ? [range.key, range.value] : [cel.dyn, cel.dyn]
    const [first = '', second = ''] = node.variables
    const bound: (readonly [string, CelType])[] = isPair
      ? [
          [first, key],
          [second, value],
        ]
      : [[first, range.kind === 'map' ? key : value]]
    return this.#within(bound, () => {
      if (node.predicate !== undefined) this.#condition(node.predicate, node.macro)
      const transformed = node.transform === undefined ? cel.dyn : this.type(node.transform)
      switch (node.macro) {
        case 'filter':
          return cel.list(range.kind === 'map' ? key : value, maxOf(range))
        case 'map':
        case 'transformList':
          return cel.list(transformed, maxOf(range))
        case 'transformMap':
          return cel.map(key, transformed, maxOf(range))
        case 'transformMapEntry':
          return transformed.kind === 'map'
            ? cel.map(transformed.key, transformed.value, maxOf(range))
            : cel.map(cel.dyn, cel.dyn, maxOf(range))
        default:
          return cel.bool
      }
    })
  }

  #bind(node: Bind): CelType {
    const value = this.type(node.value)
    if (node.optional === undefined) return this.#within([[node.variable, value]], () => this.type(node.body))
    if (!isDynamic(value) && !isOptional(value)) this.#fail(node, `found no matching overload for 'optMap' applied to '${showType(value)}'`)
    const inner = isOptional(value) ? (value.parameters[0] as CelType) : cel.dyn
    return this.#within([[node.variable, inner]], () => {
      const body = this.type(node.body)
      if (node.optional === 'map') return cel.optional(body)
      return isOptional(body) || isDynamic(body)
        ? body
        : this.#fail(node.body, `expected type 'optional_type' but found '${showType(body)}'`)
    })
  }

  #within<T>(bound: readonly (readonly [string, CelType])[], run: () => T): T {
    this.#scope.push(...bound)
    try {
      return run()
    } finally {
      this.#scope.length -= bound.length
    }
  }
}

const maxOf = (type: CelType): number | undefined => ('max' in type ? type.max : undefined)

function literalType(value: unknown): CelType {
  switch (typeof value) {
    case 'string':
      return { kind: 'string', max: value.length }
    case 'bigint':
      return cel.int
    case 'number':
      return cel.double
    case 'boolean':
      return cel.bool
    default:
      return value === null ? cel.null : value instanceof Uint8Array ? { kind: 'bytes', max: value.length } : cel.uint
  }
}
