import { DecisionLogCap, definePlugin, optional } from '@continuo/core'
import { ReplicaSet, ReplicationController } from '@continuo/workload'
import { replicaController } from './replica-controller.ts'

const podRules = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete', 'patch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
]

/** Keeps the number of pods of each replica set. */
export const replicaSet = definePlugin({
  name: 'replica-set',
  api: '^1',
  requires: { decisions: optional(DecisionLogCap) },
  permissions: [
    ...podRules,
    { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get', 'list', 'watch', 'update'] },
    { apiGroups: ['apps'], resources: ['replicasets/status', 'replicasets/finalizers'], verbs: ['update'] },
  ],
  setup: (ctx) =>
    replicaController(ctx, {
      kind: ReplicaSet,
      component: 'replicaset-controller',
      decisions: ctx.use.decisions,
      view: (set) => set,
      selector: (set) => set.spec?.selector ?? {},
    }),
})

/** Keeps the number of pods of each replication controller, the replica set's predecessor. */
export const replicationController = definePlugin({
  name: 'replication-controller',
  api: '^1',
  requires: { decisions: optional(DecisionLogCap) },
  permissions: [
    ...podRules,
    { apiGroups: [''], resources: ['replicationcontrollers'], verbs: ['get', 'list', 'watch', 'update'] },
    { apiGroups: [''], resources: ['replicationcontrollers/status', 'replicationcontrollers/finalizers'], verbs: ['update'] },
  ],
  setup: (ctx) =>
    replicaController(ctx, {
      kind: ReplicationController,
      component: 'replication-controller',
      decisions: ctx.use.decisions,
      view: (controller) => ({
        ...(controller as unknown as ReplicaSet),
        spec: { ...controller.spec, selector: { matchLabels: controller.spec?.selector } } as ReplicaSet['spec'] & object,
      }),
      selector: (controller) => ({ matchLabels: controller.spec?.selector ?? {} }),
    }),
})
