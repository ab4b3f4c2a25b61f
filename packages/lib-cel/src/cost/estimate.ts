import type { Checked, Resolved } from '../check/check.ts'
import type { Overload } from '../functions/overload.ts'
import type { Bind, Call, Fold, Node } from '../syntax/ast.ts'
import type { CelType } from '../types/cel-type.ts'

/** Beyond it everything is equally too dear. */
const most = Number.MAX_SAFE_INTEGER

/** The greatest cost of an expression, from the bounds that its variables' types carry. What has no bound counts as endless. Units are those of a meter. */
export const estimateCost = (checked: Checked): number => new Estimate(checked).cost(checked.root)

class Estimate {
  readonly #checked: Checked
  /** Sizes of variables that `cel.bind` and its like introduced, innermost last. */
  readonly #bound: (readonly [string, number])[] = []

  constructor(checked: Checked) {
    this.#checked = checked
  }

  cost(node: Node): number {
    return Math.min(most, this.#costOf(node))
  }

  #sum(nodes: readonly Node[]): number {
    return nodes.reduce((sum, node) => sum + this.cost(node), 0)
  }

  #costOf(node: Node): number {
    if (this.#checked.typeNames.has(node)) return 1
    switch (node.kind) {
      case 'literal':
        return 0
      case 'identifier':
        return 1
      case 'select':
        return this.cost(node.operand) + 1
      case 'index':
        return this.cost(node.operand) + this.cost(node.index) + 1
      case 'call':
        return this.#call(node)
      case 'list':
        return 10 + this.#sum(node.elements.map(({ value }) => value))
      case 'map':
        return 30 + this.#sum(node.entries.flatMap(({ key, value }) => [key, value]))
      case 'struct':
        return 40 + this.#sum(node.fields.map(({ value }) => value))
      case 'logic':
        return this.#sum(node.operands)
      case 'conditional':
        return this.cost(node.test) + Math.max(this.cost(node.yes), this.cost(node.no))
      case 'fold':
        return this.#fold(node)
      case 'bind':
        return this.cost(node.value) + 11 + this.#within(node, () => this.cost(node.body))
    }
  }

  #call(node: Call): number {
    const { args, overloads } = this.#checked.calls.get(node) as Resolved
    const own = Math.max(...overloads.map((overload) => (overload.cost === undefined ? 1 : overload.cost(...this.#sizes(overload, args)))))
    return this.#sum(args) + own
  }

  #fold(node: Fold): number {
    const inside =
      (node.predicate === undefined ? 0 : this.cost(node.predicate)) + (node.transform === undefined ? 0 : this.cost(node.transform))
    // What the loop around the body costs, as the macros are spelled out in cel-go.
    const perElement = node.macro === 'all' ? 3 : node.macro === 'exists' ? 4 : node.macro === 'exists_one' ? 2 : 13
    const around =
      node.macro === 'all' || node.macro === 'exists' ? 1 : node.macro === 'exists_one' ? 2 : node.macro === 'transformMap' ? 31 : 11
    return this.cost(node.range) + around + Math.min(most, this.size(node.range)) * (perElement + inside)
  }

  #within<T>(node: Bind, run: () => T): T {
    this.#bound.push([node.variable, this.size(node.value)])
    try {
      return run()
    } finally {
      this.#bound.pop()
    }
  }

  /** How large the value of a node may be. */
  size(node: Node): number {
    return Math.min(most, this.#sizeOf(node))
  }

  #sizeOf(node: Node): number {
    switch (node.kind) {
      case 'identifier':
        return this.#bound.findLast(([name]) => name === node.name)?.[1] ?? this.#declaredSize(node)
      case 'call': {
        const { args, overloads } = this.#checked.calls.get(node) as Resolved
        if (isScalar(this.#checked.types.get(node))) return 1
        return Math.max(...overloads.map((overload) => overload.size?.(...this.#sizes(overload, args)) ?? most))
      }
      case 'fold':
        return isScalar(this.#checked.types.get(node)) ? 1 : this.size(node.range)
      case 'conditional':
        return Math.max(this.size(node.yes), this.size(node.no))
      case 'bind':
        return this.#within(node, () => this.size(node.body))
      default:
        return this.#declaredSize(node)
    }
  }

  #sizes(overload: Overload, args: readonly Node[]): number[] {
    return args.map((arg) => {
      const type = this.#checked.types.get(arg)
      if (overload.flattens !== true || type?.kind !== 'list') return this.size(arg)
      const each = 'max' in type.element ? (type.element.max ?? most) : most
      return Math.min(most, this.size(arg) * Math.max(1, each))
    })
  }

  #declaredSize(node: Node): number {
    const type = this.#checked.types.get(node)
    if (isScalar(type)) return 1
    const inner = type?.kind === 'opaque' ? type.parameters[0] : type
    return inner !== undefined && 'max' in inner && inner.max !== undefined ? inner.max : most
  }
}

/** What is not traversed; Kubernetes counts whole objects so too. */
const scalars: readonly CelType['kind'][] = ['bool', 'int', 'uint', 'double', 'null', 'timestamp', 'duration', 'type', 'object']
const isScalar = (type: CelType | undefined): boolean =>
  type !== undefined && (scalars.includes(type.kind) || (type.kind === 'opaque' && type.parameters.length === 0))
