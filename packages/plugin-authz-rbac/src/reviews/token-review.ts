import { isApiError, type UserInfo } from '@continuo/core'
import type { AccessGate, UserInfo as ReviewedUser, TokenReviewStatus } from '@continuo/workload'

/** A user as reviews show it. */
export const shownUser = ({ username, uid, groups, extra }: UserInfo): ReviewedUser => ({
  username,
  ...(uid === undefined ? {} : { uid }),
  ...(groups === undefined ? {} : { groups: [...groups] }),
  ...(extra === undefined ? {} : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
})

/** Whose token it is, and for which of the wanted audiences it is good. A bad token is an answer, not a fault. */
export async function reviewToken(gate: AccessGate, token: string, audiences: readonly string[]): Promise<TokenReviewStatus> {
  try {
    if (audiences.length === 0) return known(await gate.authenticate(token), [])
    let user: UserInfo | undefined
    const good: string[] = []
    for (const audience of new Set(audiences)) {
      const found = await gate.authenticate(token, [audience]).catch((error: unknown) => {
        if (isApiError(error) && error.status === 401) return undefined
        throw error
      })
      if (found === undefined) continue
      user = found
      good.push(audience)
    }
    return known(user, good)
  } catch (error) {
    if (!isApiError(error) || error.status !== 401) throw error
    return { authenticated: false, user: {}, error: error.message }
  }
}

const known = (user: UserInfo | undefined, audiences: string[]): TokenReviewStatus =>
  user === undefined
    ? { authenticated: false, user: {}, error: 'invalid bearer token' }
    : { authenticated: true, user: shownUser(user), ...(audiences.length === 0 ? {} : { audiences }) }
