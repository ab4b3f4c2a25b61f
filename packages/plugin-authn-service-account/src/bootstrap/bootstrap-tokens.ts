import { ApiError, definePlugin, hasReason } from '@continuo/core'
import { AuthenticatorCap, Secret } from '@continuo/workload'
import { bearerToken } from '../tokens/token-authenticator.ts'
import { bootstrapNamespace, bootstrapSecretName, bootstrapUser, parseBootstrapToken } from './bootstrap-token.ts'

/** Recognises nodes that join with a bootstrap token: a secret of type `bootstrap.kubernetes.io/token` in `kube-system`. */
export const bootstrapTokens = definePlugin({
  name: 'bootstrap-tokens',
  api: '^1',
  provides: [AuthenticatorCap],
  permissions: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
  setup(ctx) {
    ctx.provide(
      AuthenticatorCap,
      {
        async authenticate(request) {
          const text = bearerToken(request)
          const token = text === undefined || request.audiences !== undefined ? undefined : parseBootstrapToken(text)
          if (token === undefined) return undefined
          const at = { namespace: bootstrapNamespace, name: bootstrapSecretName(token.id) }
          const secret = await ctx.client
            .for(Secret)
            .get(at)
            .catch((error: unknown) => {
              if (hasReason(error, 'NotFound')) return undefined
              throw error
            })
          const user = secret === undefined ? undefined : bootstrapUser(secret, token, ctx.clock.now())
          if (user === undefined) throw new ApiError('Unauthorized', 'invalid bootstrap token')
          return user
        },
      },
      'bootstrap-token',
    )
  },
})
