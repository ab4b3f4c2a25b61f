import {
  type AnyPlugin,
  createHost,
  type Host,
  memoryStore,
  type ObjectClient,
  ObjectClientCap,
  systemClock,
  type UserInfo,
} from '@continuo/core'
import { AuthorizerCap, ClusterRole, ClusterRoleBinding, type PolicyRule, Role, RoleBinding, workloadKinds } from '@continuo/workload'
import { onTestFinished } from 'vitest'
import { rbac } from '../src/index.ts'

export interface ControlPlane {
  readonly host: Host
  readonly client: ObjectClient
  as(username: string, ...groups: string[]): ObjectClient
  /** Makes a role and binds it to a user: in a namespace, or everywhere for ''. */
  grant(username: string, namespace: string, rules: PolicyRule[], roleName?: string): Promise<void>
}

export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 5_000): Promise<T> {
  const deadline = systemClock.monotonic() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error
    }
    await systemClock.sleep(5)
  }
}

const apiVersion = 'rbac.authorization.k8s.io/v1'

/** A control plane in this process with memory store, workload kinds, RBAC and what else is given. */
export async function startControlPlane(more: Readonly<Record<string, AnyPlugin>> = {}): Promise<ControlPlane> {
  const plugins = { store: memoryStore as AnyPlugin, kinds: workloadKinds as AnyPlugin, rbac: rbac as AnyPlugin, ...more }
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  await host.start()
  onTestFinished(() => host.stop())
  const client = host.use(ObjectClientCap)
  return {
    host,
    client,
    as: (username, ...groups) => client.as({ username, groups: [...groups, 'system:authenticated'] }),
    async grant(username, namespace, rules, roleName = `${username}-may`) {
      const subjects = [{ kind: 'User', name: username }]
      const name = roleName
      if (namespace === '') {
        await client.for(ClusterRole).create({ apiVersion, kind: 'ClusterRole', metadata: { name }, rules })
        await client
          .for(ClusterRoleBinding)
          .create({ apiVersion, kind: 'ClusterRoleBinding', metadata: { name }, roleRef: { kind: 'ClusterRole', name }, subjects })
      } else {
        await client.for(Role).create({ apiVersion, kind: 'Role', metadata: { name, namespace }, rules })
        await client
          .for(RoleBinding)
          .create({ apiVersion, kind: 'RoleBinding', metadata: { name, namespace }, roleRef: { kind: 'Role', name }, subjects })
      }
      // The last rule is there when the authorizer has heard of it.
      const user: UserInfo = { username }
      const last = rules.at(-1) as PolicyRule
      const asked = {
        user,
        verb: last.verbs[0] as string,
        isResource: last.resources !== undefined,
        group: last.apiGroups?.[0] ?? '',
        version: '',
        resource: last.resources?.[0]?.split('/')[0] ?? '',
        subresource: last.resources?.[0]?.split('/')[1] ?? '',
        namespace,
        name: last.resourceNames?.[0] ?? '',
        path: last.nonResourceURLs?.[0] ?? '',
      }
      await eventually(async () => {
        if ((await host.use(AuthorizerCap).get('rbac')?.authorize(asked))?.decision !== 'allow')
          throw new Error('the grant is not heard of')
      })
    },
  }
}
