import { formatPlan, planToMermaid } from '@continuo/core'
import { prepareCluster } from './check.ts'

/** `continuo plan`: what is wired to what, host by host. */
export async function plan(flags: {
  readonly config?: string
  readonly dataDir: string
  readonly output: 'text' | 'mermaid' | 'json'
}): Promise<void> {
  const { hosts } = await prepareCluster(flags)
  const plans = await Promise.all(hosts.map((host) => host.plan()))
  const render = { text: formatPlan, mermaid: planToMermaid, json: (one: unknown) => JSON.stringify(one, null, 2) }[flags.output]
  process.stdout.write(`${plans.map(render).join('\n')}\n`)
}
