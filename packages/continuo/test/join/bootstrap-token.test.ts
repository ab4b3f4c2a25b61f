import { createHmac } from 'node:crypto'
import { systemRandom } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import {
  formatToken,
  hasExpired,
  newToken,
  nodeGroup,
  parseToken,
  signDetached,
  tokenFacts,
  tokenSecret,
} from '../../src/join/bootstrap-token.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

describe('bootstrap tokens', () => {
  it('have the form that Kubernetes knows, and are never the same', () => {
    const tokens = Array.from({ length: 200 }, () => formatToken(newToken(systemRandom)))
    for (const token of tokens) expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/)
    expect(new Set(tokens).size).toBe(200)
    expect(parseToken(tokens[0] as string)).toEqual({ id: tokens[0]?.slice(0, 6), secret: tokens[0]?.slice(7) })
  })

  it.each(['', 'abcdef', 'ABCDEF.0123456789abcdef', 'abcdef.0123456789abcdef0'])('are not read from %j', (text) => {
    expect(() => parseToken(text)).toThrow(expect.objectContaining({ code: 'JOIN_TOKEN_FORM' }))
  })

  it('are told by their secrets what they are for and until when', () => {
    const token = { id: 'abcdef', secret: '0123456789abcdef' }
    const secret = tokenSecret(token, { expires: now + 60_000, groups: [nodeGroup], description: 'a rack' })
    expect(secret).toMatchObject({ type: 'bootstrap.kubernetes.io/token', metadata: { name: 'bootstrap-token-abcdef' } })
    const facts = tokenFacts(secret)
    expect(facts).toEqual({
      id: 'abcdef',
      expires: now + 60_000,
      usages: ['authentication', 'signing'],
      groups: [nodeGroup],
      description: 'a rack',
    })
    expect([hasExpired(facts, now + 59_999), hasExpired(facts, now + 60_000)]).toEqual([false, true])
    expect(tokenFacts(tokenSecret(token, { expires: undefined, groups: [], description: '' }))).toMatchObject({
      expires: undefined,
      groups: [],
    })
    expect(hasExpired({ ...facts, expires: Number.NaN }, now)).toBe(true)
  })

  it('sign a text so that whoever has the token can check it', () => {
    const [header = '', body, signature] = signDetached('text', { id: 'abcdef', secret: '0123456789abcdef' }).split('.')
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'HS256', kid: 'abcdef' })
    expect(body).toBe('')
    const signed = `${header}.${Buffer.from('text').toString('base64url')}`
    expect(signature).toBe(createHmac('sha256', '0123456789abcdef').update(signed).digest('base64url'))
  })
})
