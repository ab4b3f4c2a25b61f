import type { Log } from '@continuo/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const secrets = '/api/v1/namespaces/default/secrets'
const plain = 'the-pass-phrase'
const encoded = Buffer.from(plain).toString('base64')
const token = `eyJhbGciOiJFUzI1NiJ9.${Buffer.from('{"sub":"somebody"}').toString('base64url')}.c2lnbmF0dXJl`
const told: string[] = []
const at = (fields: Record<string, unknown>, message: string): void => {
  const error = fields.err instanceof Error ? `${fields.err.stack} ${JSON.stringify(fields.err)}` : ''
  told.push(`${message} ${JSON.stringify(fields)} ${error}`)
}
const log: Log = { trace: at, debug: at, info: at, warn: at, error: at, child: () => log }
let api: RunningApi

beforeAll(async () => {
  api = await startApi({}, [], [], log)
})
afterAll(() => api[Symbol.asyncDispose]())

it('stand in no log, whatever is done with them and however it fails', async () => {
  const secret = { metadata: { name: 'kept' }, data: { key: encoded } }
  expect((await api.call(secrets, { method: 'POST', body: secret })).status).toBe(201)
  await api.call(secrets, { method: 'POST', body: secret })
  await api.call(`${secrets}/kept`, { method: 'PUT', body: { ...secret, type: 'other' } })
  await api.call(`${secrets}/kept`, { method: 'PUT', body: { ...secret, metadata: { name: plain } } })
  await api.call(secrets, { method: 'POST', body: { metadata: { name: 'bad' }, data: { key: plain } } })
  await api.call(secrets, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"data":{"key":"${encoded}"` })
  await api.call(`${secrets}/kept`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json-patch+json' },
    body: [{ op: 'test', path: '/data/key', value: plain }],
  })
  await api.call(`${secrets}?fieldManager=${plain.repeat(20)}`, { method: 'POST', body: secret })
  const bearer = { anonymous: true, headers: { authorization: `Bearer ${token}` } }
  expect((await api.call(secrets, bearer)).status).toBe(401)
  expect((await api.call(secrets, { ...bearer, headers: { authorization: `Bearer ${token} ${plain}` } })).status).toBe(401)
  expect(told.length).toBeGreaterThan(0)
  for (const word of [plain, encoded, token]) expect(told.join('\n')).not.toContain(word)
})

it('stand in no refusal of somebody else: what is there already is not shown', async () => {
  for (const body of [{ metadata: { name: 'kept' } }, { metadata: { name: 'kept' }, data: { key: 'eA==' } }]) {
    const answer = await api.call(secrets, { method: 'POST', body })
    expect([answer.status, answer.text.includes(encoded), answer.text.includes(plain)]).toEqual([409, false, false])
  }
  const failed = await api.call(`${secrets}/kept`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json-patch+json' },
    body: [{ op: 'test', path: '/data/key', value: 'eA==' }],
  })
  expect([failed.status, failed.text.includes(encoded)]).toEqual([422, false])
})

it('a token that is refused is not repeated', async () => {
  const answer = await api.call('/api/v1/pods', { anonymous: true, headers: { authorization: `Bearer ${token}` } })
  expect([answer.status, answer.text.includes(token)]).toEqual([401, false])
})
