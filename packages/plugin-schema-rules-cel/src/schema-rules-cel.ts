import { definePlugin, SchemaRulesCap } from '@continuo/core'
import { checkRules } from './check-rules.ts'
import { compileRules } from './rule-set.ts'

/** Gives custom resources their validation rules: `x-kubernetes-validations` in CEL (KEP-2876), as Kubernetes 1.36 checks and runs them. */
export const schemaRulesCel = definePlugin({
  name: 'schema-rules-cel',
  api: '^1',
  provides: [SchemaRulesCap],
  setup(ctx) {
    ctx.provide(SchemaRulesCap, { check: checkRules, compile: compileRules })
  },
})
