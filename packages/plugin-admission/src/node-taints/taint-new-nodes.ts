import { definePlugin } from '@continuo/core'
import type { Node } from '@continuo/workload'
import { concerns } from '../requests/requests.ts'

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const

/** Keeps pods off new nodes until the node lifecycle controller, which must run beside it, has heard that they are ready. */
export const taintNodesByCondition = definePlugin({
  name: 'taint-nodes-by-condition',
  api: '^1',
  setup(ctx) {
    ctx.admission({
      mutate(request) {
        if (request.operation !== 'CREATE' || !concerns(request, '', 'nodes')) return
        const node = request.object as unknown as Node
        const taints = node.spec?.taints ?? []
        if (taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect)) return
        node.spec = { ...node.spec, taints: [...taints, notReady] }
      },
    })
  },
})
