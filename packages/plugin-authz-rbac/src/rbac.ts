import { ClientAuthorize, definePlugin, forbidden } from '@continuo/core'
import {
  type AccessAttributes,
  AccessRulesCap,
  AuthorizerCap,
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
} from '@continuo/workload'
import { aggregatedIndex, aggregation } from './aggregation/aggregation.ts'
import { reconcileDefaults } from './defaults/reconcile-defaults.ts'
import { checkEscalation } from './escalation/check-escalation.ts'
import { bindingIndexes, RolePolicy } from './policy/role-policy.ts'
import { mastersGroup, rbacGroup } from './policy/subjects.ts'

/**
 * Role-based access control: decides about requests from roles and bindings, keeps the default roles, gathers aggregated ones,
 * and lets nobody give away more than they have. Clients that act for somebody (`client.as(user)`) are held to the same rules.
 */
export const rbac = definePlugin({
  name: 'authz-rbac',
  api: '^1',
  requires: { authorizers: AuthorizerCap },
  provides: [AuthorizerCap, AccessRulesCap],
  permissions: [
    { apiGroups: [rbacGroup], resources: ['roles', 'rolebindings'], verbs: ['get', 'list', 'watch'] },
    {
      apiGroups: [rbacGroup],
      resources: ['clusterroles', 'clusterrolebindings'],
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    },
  ],
  setup(ctx) {
    const clusterRoles = ctx.informer(ClusterRole, { indexes: aggregatedIndex })
    const policy = new RolePolicy({
      roles: ctx.informer(Role).lister,
      clusterRoles: clusterRoles.lister,
      bindings: ctx.informer(RoleBinding, { indexes: bindingIndexes.namespaced }).lister,
      clusterBindings: ctx.informer(ClusterRoleBinding, { indexes: bindingIndexes.cluster }).lister,
    })
    ctx.provide(AuthorizerCap, { authorize: (attributes) => policy.decide(attributes) }, 'rbac')
    ctx.provide(AccessRulesCap, { rulesFor: (user, namespace) => policy.rulesFor(user, namespace) }, 'rbac')
    ctx.admission({ reads: [ClusterRole, Role], validate: (request) => checkEscalation(request, policy) })
    ctx.tap(ClientAuthorize, async ({ caller, verb, resource, subresource = '', namespace, name }) => {
      if (caller.user.groups?.includes(mastersGroup) === true) return
      const attributes: AccessAttributes = {
        ...resource,
        user: caller.user,
        verb,
        isResource: true,
        subresource,
        namespace,
        name,
        path: '',
      }
      for (const [, authorizer] of ctx.use.authorizers) {
        const { decision } = await authorizer.authorize(attributes)
        if (decision === 'allow') return
        if (decision === 'deny') break
      }
      throw forbidden(
        resource,
        name,
        `User ${JSON.stringify(caller.user.username)} cannot ${verb} resource ${JSON.stringify(subresource === '' ? resource.resource : `${resource.resource}/${subresource}`)} in API group ${JSON.stringify(resource.group)}${namespace === '' ? ' at the cluster scope' : ` in the namespace ${JSON.stringify(namespace)}`}`,
      )
    })
    ctx.controller(aggregation(clusterRoles))
    // Before anybody can ask: a cluster without its default roles would refuse everybody.
    ctx.onStart('informers', () => reconcileDefaults(ctx.client))
  },
})
