import { afterAll, beforeAll, describe, expect } from 'vitest'
import { kubectlMissing, kubectls, runKubectl } from '../support/kubectl.ts'
import { accessCases } from './access.ts'
import { admissionCases } from './admission.ts'
import { applyingCases } from './applying.ts'
import { changingCases } from './changing.ts'
import { type Bench, type SharedCluster, startSharedCluster } from './cluster.ts'
import { creatingCases } from './creating.ts'
import { customCases } from './custom.ts'
import { deletingCases } from './deleting.ts'
import { describingCases } from './describing.ts'
import { kindCases } from './kinds.ts'
import { mistakeCases } from './mistakes.ts'
import { nodeCases } from './nodes.ts'
import { cronTabDefinition } from './objects.ts'
import { readingCases } from './reading.ts'
import { rolloutCases } from './rollout.ts'
import { runningCases } from './running.ts'
import { smokeCases } from './smoke.ts'
import { streamCases } from './streams.ts'
import { verbCases } from './verbs.ts'

const groups: Readonly<Record<string, (bench: () => Bench) => void>> = {
  reading: readingCases,
  describing: describingCases,
  creating: creatingCases,
  applying: applyingCases,
  changing: changingCases,
  deleting: deletingCases,
  rollouts: rolloutCases,
  running: runningCases,
  streams: streamCases,
  nodes: nodeCases,
  'custom resources': customCases,
  kinds: kindCases,
  mistakes: mistakeCases,
  access: accessCases,
  verbs: verbCases,
  admission: admissionCases,
}

/** The whole list on the oldest, on those where the clients changed their ways, and on the newest; the others show that they work. */
const binaries = [...kubectls()].filter(([version], _, all) => all.length === 1 || version !== 'default')
const whole = new Set([binaries[0]?.[0], '1.29', '1.31', binaries.at(-1)?.[0]])
const only = process.env.CONTINUO_KUBECTL?.split(',')

describe.skipIf(kubectlMissing !== undefined)(`kubectl ${kubectlMissing ?? ''}`.trim(), () => {
  let cluster: SharedCluster

  beforeAll(async () => {
    cluster = await startSharedCluster()
    const [, binary] = binaries[0] ?? []
    const created = await runKubectl(cluster.process.kubeconfig, ['create', '-f', '-'], {
      ...(binary === undefined ? {} : { binary }),
      input: JSON.stringify(cronTabDefinition),
    })
    if (created.code !== 0) throw new Error(created.stderr)
  })
  afterAll(async () => {
    await cluster?.stop()
    // Whatever clients do, the cluster has no fault of its own to report.
    const errors = cluster?.process
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{"level":50'))
    expect(errors ?? []).toEqual([])
  })

  for (const [version, binary] of binaries) {
    if (only !== undefined && !only.includes(version)) continue
    describe.concurrent(`kubectl ${version}`, () => {
      for (const [name, cases] of Object.entries(whole.has(version) ? groups : { smoke: smokeCases })) {
        describe(name, () => {
          let bench: Bench
          beforeAll(async () => {
            bench = await cluster.bench(version, binary, `${name.replaceAll(' ', '-')}-${version.replace('.', '-')}`)
          })
          cases(() => bench)
        })
      }
    })
  }
})
