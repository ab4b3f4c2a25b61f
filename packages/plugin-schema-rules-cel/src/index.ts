export { schemaRulesCel, schemaRulesCel as default } from './schema-rules-cel.ts'
