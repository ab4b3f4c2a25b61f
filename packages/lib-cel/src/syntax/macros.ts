import type { Call, Fold, FoldMacro, Node } from './ast.ts'

type Fail = (node: Node, detail: string) => never

/** What a macro's arguments after its variables are: `p`redicate or `t`ransform. Several forms are told apart by their count. */
const folds: Readonly<Record<string, { readonly macro: FoldMacro; readonly forms: readonly string[] }>> = {
  all: { macro: 'all', forms: ['vp', 'vvp'] },
  exists: { macro: 'exists', forms: ['vp', 'vvp'] },
  exists_one: { macro: 'exists_one', forms: ['vp', 'vvp'] },
  existsOne: { macro: 'exists_one', forms: ['vp', 'vvp'] },
  filter: { macro: 'filter', forms: ['vp'] },
  map: { macro: 'map', forms: ['vt', 'vpt'] },
  transformList: { macro: 'transformList', forms: ['vvt', 'vvpt'] },
  transformMap: { macro: 'transformMap', forms: ['vvt', 'vvpt'] },
  transformMapEntry: { macro: 'transformMapEntry', forms: ['vvt', 'vvpt'] },
}

/** The call as what it stands for when it is a macro: `has`, the folds over lists and maps, `cel.bind`, `optMap`, `optFlatMap`. */
export function expandMacro(call: Call, fail: Fail): Node {
  const { name, target, args, at } = call
  const variable = (node: Node | undefined): string =>
    node?.kind === 'identifier' ? node.name : fail(node ?? call, 'argument must be a simple name')
  if (target === undefined) return name === 'has' && args.length === 1 ? presence(args[0] as Node, fail) : call
  if (name === 'bind' && args.length === 3 && target.kind === 'identifier' && target.name === 'cel')
    return { kind: 'bind', at, variable: variable(args[0]), value: args[1] as Node, body: args[2] as Node }
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2)
    return {
      kind: 'bind',
      at,
      variable: variable(args[0]),
      value: target,
      body: args[1] as Node,
      optional: name === 'optMap' ? 'map' : 'flatMap',
    }
  const fold = Object.hasOwn(folds, name) ? folds[name] : undefined
  const form = fold?.forms.find((candidate) => candidate.length === args.length)
  if (fold === undefined || form === undefined) return call
  const taken = (letter: string): Node | undefined => args[form.indexOf(letter)]
  const variables = args.filter((_, i) => form[i] === 'v').map(variable)
  if (variables.length === 2 && variables[0] === variables[1])
    return fail(args[1] as Node, 'the two iteration variables must have different names')
  const predicate = taken('p')
  const transform = taken('t')
  const expanded: Fold = {
    kind: 'fold',
    at,
    macro: fold.macro,
    range: target,
    variables,
    ...(predicate === undefined ? {} : { predicate }),
    ...(transform === undefined ? {} : { transform }),
  }
  return expanded
}

function presence(node: Node, fail: Fail): Node {
  if (node.kind !== 'select') return fail(node, 'invalid argument to has() macro')
  return { ...node, test: true }
}
