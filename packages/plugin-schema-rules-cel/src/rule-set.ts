import {
  correlatedItems,
  type DeepReadonly,
  type FieldError,
  isRecord,
  jsonEqual,
  type Schema,
  type SchemaRuleSet,
  type UnstructuredObject,
  type ValidationRule,
} from '@continuo/core'
import { type CelType, typeOfSchema } from '@continuo/lib-cel'
import { childSchemas } from './compile-rule.ts'
import { NodeRules } from './node-rules.ts'
import { RuleRun } from './rule-run.ts'

/** A schema with rules, or with some below it: all that is walked. */
interface RuleNode {
  readonly schema: Schema
  readonly rules: NodeRules | undefined
  readonly properties: ReadonlyMap<string, RuleNode>
  readonly items: RuleNode | undefined
  readonly values: RuleNode | undefined
}

/** The rules of a schema, compiled when the first object needs them. Undefined when there are none. */
export function compileRules(schema: Schema): SchemaRuleSet | undefined {
  const root = ruleNode(schema, true)
  if (root === undefined) return undefined
  return {
    validate(next: DeepReadonly<UnstructuredObject>, old: DeepReadonly<UnstructuredObject> | undefined): readonly FieldError[] {
      const run = new RuleRun()
      walk(run, root, '', next, old)
      return run.errors
    },
  }
}

function ruleNode(schema: Schema, isRoot: boolean): RuleNode | undefined {
  const properties = new Map<string, RuleNode>()
  let items: RuleNode | undefined
  let values: RuleNode | undefined
  for (const [step, child, kind] of childSchemas(schema)) {
    const node = ruleNode(child, false)
    if (node === undefined) continue
    if (kind === 'property') properties.set(step.slice('.properties['.length, -1), node)
    else if (kind === 'item') items = node
    else values = node
  }
  const rules: readonly ValidationRule[] = schema['x-kubernetes-validations'] ?? []
  if (rules.length === 0 && properties.size === 0 && items === undefined && values === undefined) return undefined
  const type: CelType | undefined = rules.length === 0 ? undefined : typeOfSchema(schema, { root: isRoot })
  return { schema, rules: type === undefined ? undefined : new NodeRules(schema, rules, type), properties, items, values }
}

/** `old` is undefined where nothing corresponds to the value: rules of transitions do not run there. */
function walk(run: RuleRun, node: RuleNode, path: string, value: unknown, old: unknown): void {
  if (value === null || value === undefined || run.ended) return
  node.rules?.run(run, path, value, old)
  if (Array.isArray(value)) {
    if (node.items === undefined) return
    const before = correlatedItems(node.schema, old)
    for (let i = 0; i < value.length && !run.ended; i++) walk(run, node.items, `${path}[${i}]`, value[i], before?.(value[i]))
  } else if (isRecord(value)) {
    const before = isRecord(old) && (node.schema['x-kubernetes-map-type'] !== 'atomic' || jsonEqual(value, old)) ? old : undefined
    const of = (key: string): unknown => (before !== undefined && Object.hasOwn(before, key) ? before[key] : undefined)
    for (const [key, child] of node.properties)
      if (Object.hasOwn(value, key)) walk(run, child, path === '' ? key : `${path}.${key}`, value[key], of(key))
    if (node.values !== undefined)
      for (const key of Object.keys(value)) if (!node.properties.has(key)) walk(run, node.values, `${path}[${key}]`, value[key], of(key))
  }
}
