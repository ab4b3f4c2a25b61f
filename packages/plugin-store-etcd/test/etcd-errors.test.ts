import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { judge } from '../src/etcd-errors.ts'

const verdict = (effect: 'read' | 'write', code: number, details: string, timedOut = false) => {
  const { error, memberLost } = judge({ code, details, timedOut }, effect, 'http://127.0.0.1:2379')
  return `${error.code}${memberLost ? ', member lost' : ''}`
}

describe('judge', () => {
  it.each([
    [status.UNAVAILABLE, 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:2379', 'STORE_UNAVAILABLE, member lost'],
    [status.UNAVAILABLE, 'etcdserver: no leader', 'STORE_UNAVAILABLE, member lost'],
    [status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests', 'STORE_UNAVAILABLE'],
    [status.INVALID_ARGUMENT, 'etcdserver: request is too large', 'STORE_TOO_LARGE'],
    [status.INVALID_ARGUMENT, 'etcdserver: too many operations in txn request', 'STORE_TOO_LARGE'],
    [status.PERMISSION_DENIED, 'etcdserver: permission denied', 'STORE_UNAVAILABLE'],
    [status.UNAUTHENTICATED, 'etcdserver: anything', 'STORE_UNAVAILABLE'],
    [status.DATA_LOSS, 'etcdserver: corrupt cluster', 'STORE_CORRUPT'],
  ])('knows of %i %s that a write was surely not applied', (code, details, expected) => {
    expect(verdict('write', code, details)).toBe(expected)
  })

  it.each([
    [status.UNAVAILABLE, 'Connection dropped'],
    [status.UNAVAILABLE, 'etcdserver: request timed out, possibly due to previous leader failure'],
    [status.UNAVAILABLE, 'etcdserver: server stopped'],
    [status.UNKNOWN, 'raft proposal dropped'],
    [status.INTERNAL, 'Received RST_STREAM with code 2'],
    [status.DEADLINE_EXCEEDED, 'context deadline exceeded'],
  ])('leaves open after %i %s whether a write was applied, and tries a read elsewhere', (code, details) => {
    expect(verdict('write', code, details)).toBe('STORE_OUTCOME_UNKNOWN, member lost')
    expect(verdict('read', code, details)).toBe('STORE_UNAVAILABLE, member lost')
  })

  it('leaves open whether the write that filled etcd was applied, and keeps the member', () => {
    const { error, memberLost } = judge(
      { code: status.RESOURCE_EXHAUSTED, details: 'etcdserver: mvcc: database space exceeded', timedOut: false },
      'write',
      'http://127.0.0.1:2379',
    )
    expect([error.code, memberLost]).toEqual(['STORE_OUTCOME_UNKNOWN', false])
    expect(error.hint).toContain('alarm')
  })

  it('believes nothing that comes of a call which it gave up itself', () => {
    expect(verdict('write', status.CANCELLED, 'No connection established', true)).toBe('STORE_OUTCOME_UNKNOWN, member lost')
  })

  it('tells compacted from future revisions', () => {
    expect(verdict('read', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted')).toBe('STORE_COMPACTED')
    expect(verdict('read', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision')).toBe('STORE_FUTURE_REVISION')
  })
})
