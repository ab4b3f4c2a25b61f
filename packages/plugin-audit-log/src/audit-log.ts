import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ApiError,
  type Clock,
  ContinuoError,
  definePlugin,
  HostSettingsCap,
  MetricsCap,
  optional,
  type Random,
  RandomCap,
} from '@continuo/core'
import { type AuditedRequest, type AuditLog, AuditLogCap, type AuditTrail } from '@continuo/workload'
import { parse } from 'yaml'
import { z } from 'zod'
import { LineQueue } from './file/line-queue.ts'
import { LogFile } from './file/log-file.ts'
import { type AuditDecision, compilePolicy } from './policy/decide-audit.ts'
import { type AuditPolicy, auditPolicy, defaultPolicy } from './policy/policy.ts'
import { EventTrail } from './trail/event-trail.ts'
import { silentTrail } from './trail/silent-trail.ts'

const dayMs = 86_400_000
const maxWaitingLength = 64 * 1_048_576
const idPattern = /^[\w.-]{1,64}$/

/** Configuration of the plugin `audit-log`. */
export const auditLogConfig = z
  .strictObject({
    policy: auditPolicy
      .optional()
      .describe('What is told: a Policy of audit.k8s.io/v1. Default: everything but health and discovery, without bodies.'),
    policyFile: z.string().min(1).optional().describe('The same from a YAML file.'),
    file: z.string().min(1).optional().describe('Where it is kept. Default: `audit/audit.log` in the data directory.'),
    maxMegabytes: z.number().positive().default(100).describe('Size at which the file is put aside.'),
    maxAgeDays: z.number().nonnegative().default(30).describe('Days after which files put aside are removed; 0 keeps them.'),
    maxBackups: z.int().nonnegative().default(10).describe('How many files put aside are kept; 0 keeps all.'),
    queue: z.int().positive().default(10_000).describe('Events that may wait to be written.'),
    whenFull: z
      .enum(['drop', 'refuse'])
      .default('drop')
      .describe('When no more may wait: lose events and count them, or refuse requests with 503.'),
  })
  .prefault({})

/** Tells who did what with the API: events of audit.k8s.io/v1 as lines of JSON in a file that rotates. */
export const auditLog = definePlugin({
  name: 'audit-log',
  api: '^1',
  roles: ['control-plane'],
  config: auditLogConfig,
  requires: { settings: optional(HostSettingsCap), metrics: MetricsCap, random: RandomCap },
  provides: [AuditLogCap],
  async setup(ctx) {
    const { config, use, clock, log } = ctx
    const path = config.file ?? (use.settings === undefined ? undefined : join(use.settings.dataDir, 'audit', 'audit.log'))
    if (path === undefined)
      throw new ContinuoError('AUDIT_NO_FILE', 'the audit log has no place', { hint: 'set `file`, or give the host a data directory' })
    const file = new LogFile(path, {
      maxBytes: config.maxMegabytes * 1_048_576,
      maxAgeMs: config.maxAgeDays * dayMs,
      maxBackups: config.maxBackups,
    })
    const queue = new LineQueue({
      maxLines: config.queue,
      maxLength: maxWaitingLength,
      clock,
      log,
      dropped: use.metrics.counter('continuo_audit_dropped_total', 'Audit events that were lost because too many waited.'),
      errors: use.metrics.counter('apiserver_audit_error_total', 'Writes of the audit log that failed.'),
      write: (text) => file.append(text, clock.now()),
    })
    const total = use.metrics.counter('apiserver_audit_event_total', 'Audit events that were made.')
    const emit = (line: string): void => {
      total.inc()
      queue.push(line)
    }
    const decide = compilePolicy(config.policyFile === undefined ? (config.policy ?? defaultPolicy) : await readPolicy(config.policyFile))
    ctx.provide(AuditLogCap, new PolicyAuditLog(decide, emit, clock, use.random, () => config.whenFull === 'refuse' && queue.isFull))
    ctx.onStop(() => queue.close())
  },
})

class PolicyAuditLog implements AuditLog {
  readonly #decide: (request: AuditedRequest) => AuditDecision
  readonly #emit: (line: string) => void
  readonly #clock: Clock
  readonly #random: Random
  readonly #refuses: () => boolean

  constructor(
    decide: (request: AuditedRequest) => AuditDecision,
    emit: (line: string) => void,
    clock: Clock,
    random: Random,
    refuses: () => boolean,
  ) {
    this.#decide = decide
    this.#emit = emit
    this.#clock = clock
    this.#random = random
    this.#refuses = refuses
  }

  open(request: AuditedRequest): AuditTrail {
    const decision = this.#decide(request)
    const given = request.headers['audit-id']
    const id = typeof given === 'string' && idPattern.test(given) ? given : this.#random.uuid()
    if (decision.level === 'None') return silentTrail(id)
    if (this.#refuses()) throw new ApiError('ServiceUnavailable', 'the audit log cannot take more events', { retryAfterSeconds: 5 })
    const trail = new EventTrail({ id, request, decision, emit: this.#emit, now: () => this.#clock.now() })
    trail.received()
    return trail
  }
}

async function readPolicy(path: string): Promise<AuditPolicy> {
  let value: unknown
  try {
    value = parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new ContinuoError('AUDIT_POLICY', `the audit policy ${path} cannot be read`, { hint: 'it must be a YAML file', cause })
  }
  const result = auditPolicy.safeParse(value)
  if (result.success) return result.data
  throw new ContinuoError('AUDIT_POLICY', `the audit policy ${path} is not valid: ${z.prettifyError(result.error)}`, {
    hint: 'it must be a Policy of audit.k8s.io/v1',
  })
}
