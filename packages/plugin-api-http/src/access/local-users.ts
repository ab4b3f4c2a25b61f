import { definePlugin } from '@continuo/core'
import { type AuthenticationRequest, AuthenticatorCap } from '@continuo/workload'
import { z } from 'zod'
import { hostOf, isLoopback } from './loopback.ts'

export const localUsersConfig = z.strictObject({
  user: z.string().min(1).default('local').describe('Who they are.'),
  groups: z.array(z.string().min(1)).default([]).describe('Their groups; `system:masters` may do everything where roles decide.'),
})

const first = (value: string | readonly string[] | undefined): string | undefined => (typeof value === 'string' ? value : value?.[0])

/**
 * Whether a request without credentials was made on this machine, on purpose. A name of somebody else's in `Host` or `Origin` is a web
 * page that had itself resolved to loopback; a forwarded request has only its proxy on this machine.
 */
export function isLocal({ headers, remoteAddress }: AuthenticationRequest): boolean {
  if (headers.authorization !== undefined || !isLoopback(remoteAddress)) return false
  if (headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined) return false
  const named = [first(headers[':authority']) ?? first(headers.host), first(headers.origin)].filter((name) => name !== undefined)
  return named.length > 0 && named.every((name) => isLoopback(hostOf(name) ?? ''))
}

/** Knows whoever asks from this machine without credentials, so that an API on loopback needs none. */
export const localUsers = definePlugin({
  name: 'local-users',
  api: '^1',
  config: localUsersConfig,
  provides: [AuthenticatorCap],
  setup(ctx) {
    const user = { username: ctx.config.user, groups: ctx.config.groups }
    ctx.provide(AuthenticatorCap, { authenticate: (request) => (isLocal(request) ? user : undefined) }, 'local-users')
  },
})
