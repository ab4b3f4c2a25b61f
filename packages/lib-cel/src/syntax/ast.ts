import type { Value } from '../values/value.ts'

interface Base {
  /** Where the node's operator or name stands in the source. */
  readonly at: number
}

export interface Literal extends Base {
  readonly kind: 'literal'
  readonly value: Value
}

export interface Identifier extends Base {
  readonly kind: 'identifier'
  readonly name: string
}

/** `a.b`, `a.?b`; within `has()` a test for presence. */
export interface Select extends Base {
  readonly kind: 'select'
  readonly operand: Node
  readonly field: string
  readonly optional: boolean
  readonly test: boolean
}

/** `a[b]`, `a[?b]`. */
export interface Index extends Base {
  readonly kind: 'index'
  readonly operand: Node
  readonly index: Node
  readonly optional: boolean
}

/** A function, a method of `target`, or an operator by its canonical name (`_+_`, `!_`, `_in_`). */
export interface Call extends Base {
  readonly kind: 'call'
  readonly name: string
  readonly target?: Node
  readonly args: readonly Node[]
}

export interface ListLiteral extends Base {
  readonly kind: 'list'
  readonly elements: readonly { readonly value: Node; readonly optional: boolean }[]
}

export interface MapLiteral extends Base {
  readonly kind: 'map'
  readonly entries: readonly { readonly key: Node; readonly value: Node; readonly optional: boolean }[]
}

/** `Object.spec{replicas: 1}`. */
export interface StructLiteral extends Base {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: readonly { readonly name: string; readonly at: number; readonly value: Node; readonly optional: boolean }[]
}

/** All operands of one chain of `&&` or `||`. */
export interface Logic extends Base {
  readonly kind: 'logic'
  readonly operator: '&&' | '||'
  readonly operands: readonly Node[]
}

export interface Conditional extends Base {
  readonly kind: 'conditional'
  readonly test: Node
  readonly yes: Node
  readonly no: Node
}

export type FoldMacro = 'all' | 'exists' | 'exists_one' | 'map' | 'filter' | 'transformList' | 'transformMap' | 'transformMapEntry'

/** A macro over a list or map. With one variable it bears elements or keys; with two, index and element or key and value. */
export interface Fold extends Base {
  readonly kind: 'fold'
  readonly macro: FoldMacro
  readonly range: Node
  readonly variables: readonly string[]
  /** Which elements are taken; the predicate itself of `all`, `exists`, `exists_one` and `filter`. */
  readonly predicate?: Node
  readonly transform?: Node
}

/** `cel.bind(x, value, body)`; with `optional`, `value.optMap(x, body)` and `value.optFlatMap(x, body)`. */
export interface Bind extends Base {
  readonly kind: 'bind'
  readonly variable: string
  readonly value: Node
  readonly body: Node
  readonly optional?: 'map' | 'flatMap'
}

export type Node =
  | Literal
  | Identifier
  | Select
  | Index
  | Call
  | ListLiteral
  | MapLiteral
  | StructLiteral
  | Logic
  | Conditional
  | Fold
  | Bind
