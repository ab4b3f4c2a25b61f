import { z } from 'zod'

const texts = z.array(z.string()).optional()

/** How much is told, from nothing to both bodies. */
export const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type AuditLevel = (typeof auditLevels)[number]

export const auditStages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type AuditStage = (typeof auditStages)[number]

const stages = z.array(z.enum(auditStages)).optional()

const rule = z
  .strictObject({
    level: z.enum(auditLevels),
    users: texts,
    userGroups: texts,
    verbs: texts,
    resources: z.array(z.strictObject({ group: z.string().optional(), resources: texts, resourceNames: texts })).optional(),
    namespaces: texts,
    nonResourceURLs: texts,
    omitStages: stages,
    omitManagedFields: z.boolean().optional(),
  })
  .refine(
    ({ nonResourceURLs, resources, namespaces }) =>
      nonResourceURLs === undefined || nonResourceURLs.length === 0 || (resources?.length ?? 0) + (namespaces?.length ?? 0) === 0,
    { message: 'rules cannot apply to both regular resources and non-resource URLs' },
  )
  .refine(
    ({ nonResourceURLs = [] }) => nonResourceURLs.every((url) => url === '*' || (url.startsWith('/') && !url.slice(0, -1).includes('*'))),
    {
      message: 'non-resource URLs begin with / and have a * only at their end',
    },
  )

/** A `Policy` of audit.k8s.io/v1. The first rule that fits a request decides; none means nothing is told. */
export const auditPolicy = z.strictObject({
  apiVersion: z.literal('audit.k8s.io/v1').optional().describe('May be left out.'),
  kind: z.literal('Policy').optional().describe('May be left out.'),
  metadata: z.record(z.string(), z.unknown()).optional().describe('Taken, and not looked at.'),
  omitStages: stages.describe('Stages of which no rule tells.'),
  omitManagedFields: z.boolean().optional().describe('Leaves managed fields out of bodies, where a rule does not say otherwise.'),
  rules: z.array(rule).min(1).describe('The first that fits a request decides: its level, and for whom and what it holds.'),
})
export type AuditPolicy = z.infer<typeof auditPolicy>
export type AuditRule = z.infer<typeof rule>

/** Everything but the reads of health and discovery, without bodies. */
export const defaultPolicy: AuditPolicy = {
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/metrics', '/openapi*', '/api*'] },
    { level: 'Metadata' },
  ],
}
