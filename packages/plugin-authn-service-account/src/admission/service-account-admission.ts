import {
  type AdmissionRequest,
  type Clock,
  type DeepReadonly,
  definePlugin,
  forbidden,
  hasReason,
  type ObjectClient,
  optional,
} from '@continuo/core'
import { ClusterCaCap, Pod, ServiceAccount } from '@continuo/workload'
import { mountToken, takePullSecrets, tokenVolume, wantsToken } from './mount-token.ts'

const mirror = 'kubernetes.io/config.mirror'
const defaultAccount = 'default'
/** A namespace's first account is made by a controller a moment after the namespace. */
const attempts = 10
const pauseMs = 100

/** Admission that gives each new pod its service account and mounts the account's token, as Kubernetes does. */
export const serviceAccountAdmission = definePlugin({
  name: 'service-account-admission',
  api: '^1',
  requires: { ca: optional(ClusterCaCap) },
  permissions: [{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get'] }],
  setup(ctx) {
    ctx.admission({
      reads: [ServiceAccount, Pod],
      async mutate(request) {
        const { operation, resource, subresource } = request
        if (operation !== 'CREATE' || resource.group !== '' || resource.resource !== 'pods' || subresource !== undefined) return
        const pod = request.object as unknown as Pod
        if (pod.spec === undefined || pod.metadata.annotations?.[mirror] !== undefined) return
        const name = pod.spec.serviceAccountName || defaultAccount
        Object.assign(pod.spec, { serviceAccountName: name, serviceAccount: name })
        const account = await findAccount(request, name, ctx.client, ctx.clock)
        if (account === undefined)
          throw forbidden(
            resource,
            request.name,
            `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
          )
        takePullSecrets(pod, account)
        if (wantsToken(pod, account)) mountToken(pod, (prefix) => tokenVolume(`${prefix}${ctx.random.suffix(5)}`, ctx.use.ca !== undefined))
      },
    })
  },
})

async function findAccount(
  { read, namespace }: AdmissionRequest,
  name: string,
  client: ObjectClient,
  clock: Clock,
): Promise<DeepReadonly<ServiceAccount> | undefined> {
  const found = read.get(ServiceAccount, { namespace, name })
  if (found !== undefined || name !== defaultAccount) return found
  for (let attempt = 1; attempt < attempts; attempt++) {
    await clock.sleep(pauseMs)
    try {
      return await client.for(ServiceAccount).get({ namespace, name })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
  }
  return undefined
}
