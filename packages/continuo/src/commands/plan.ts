import { resolve } from 'node:path'
import { formatPlan, type Plan, planToMermaid } from '@continuo/core'
import { Cluster } from '../cluster/cluster.ts'
import { loadConfig } from '../cluster/load.ts'

export interface PlanFlags {
  readonly config?: string
  readonly dataDir: string
  readonly output: 'text' | 'mermaid' | 'json'
}

/** `continuo plan`: what is wired to what, host by host. Starts nothing. */
export async function plan(flags: PlanFlags): Promise<void> {
  const cluster = new Cluster({ config: await loadConfig(flags.config), dataDir: resolve(flags.dataDir) })
  const plans = await Promise.all(cluster.prepare().map((host) => host.plan()))
  const render: Record<PlanFlags['output'], (plan: Plan) => string> = {
    text: formatPlan,
    mermaid: planToMermaid,
    json: (one) => JSON.stringify(one, null, 2),
  }
  process.stdout.write(`${plans.map(render[flags.output]).join('\n')}\n`)
}
