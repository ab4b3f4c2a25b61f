import { type Decision, systemClock } from '@continuo/core'
import { createHttpClient } from '@continuo/plugin-client-http'
import { explain } from '../why/explain.ts'
import { gather } from '../why/gather.ts'
import { kubeconfigPath } from './flags.ts'

export interface WhyFlags {
  readonly namespace: string
  readonly dataDir: string
  readonly kubeconfig?: string
}

/** `continuo why KIND/NAME`: why an object is as it is, or why it is gone. */
export async function why(target: string, flags: WhyFlags): Promise<void> {
  await using client = await createHttpClient({ kubeconfig: kubeconfigPath(flags) })
  const decisions = async (query: Readonly<Record<string, string>>): Promise<readonly Decision[]> =>
    (await client.getPath('/continuo/decisions', query)) as readonly Decision[]
  const evidence = await gather(client, decisions, target, flags.namespace, systemClock.now())
  process.stdout.write(`${explain(evidence).join('\n')}\n`)
}
