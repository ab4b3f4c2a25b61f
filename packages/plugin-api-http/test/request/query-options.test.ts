import { describe, expect, it } from 'vitest'
import {
  readDeleteOptions,
  readFlag,
  readInteger,
  readListOptions,
  readWatchOptions,
  readWriteOptions,
} from '../../src/request/query-options.ts'

const query = (text: string): URLSearchParams => new URLSearchParams(text)

describe('query options', () => {
  it('reads flags as Kubernetes does', () => {
    expect(['watch=true', 'watch=1', 'watch=', 'watch=yes'].map((text) => readFlag(query(text), 'watch'))).toEqual([true, true, true, true])
    expect(['watch=false', 'watch=FALSE', 'watch=0', ''].map((text) => readFlag(query(text), 'watch'))).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it.each(['-1', '1e3', '0x10', '1.5', 'abc', '9'.repeat(30)])('refuses %s as a limit', (text) => {
    expect(() => readInteger(query(`limit=${text}`), 'limit')).toThrow(/whole number/)
  })

  it('treats an empty parameter as absent', () => {
    expect(readListOptions(query('limit=&continue=&resourceVersion=&labelSelector='))).toEqual({
      limit: undefined,
      continue: undefined,
      resourceVersion: undefined,
      resourceVersionMatch: undefined,
      labelSelector: undefined,
      fieldSelector: undefined,
      signal: undefined,
    })
  })

  it('ends a watch by its own timeout or the default one', () => {
    expect(readWatchOptions(query('timeoutSeconds=7'), 99).timeoutSeconds).toBe(7)
    expect(readWatchOptions(query('timeoutSeconds=0'), 99).timeoutSeconds).toBe(99)
  })

  it.each([
    ['resourceVersionMatch=NotOlderThan', /forbidden for watch unless sendInitialEvents/],
    ['sendInitialEvents=true', /requires setting resourceVersionMatch/],
    ['sendInitialEvents=true&resourceVersionMatch=Exact', /resourceVersionMatch/],
    ['resourceVersionMatch=Sometimes', /Unsupported value: "Sometimes"/],
  ])('refuses the watch %s', (text, message) => {
    expect(() => readWatchOptions(query(text), 1)).toThrow(message)
  })

  it('warns about unknown fields unless told otherwise', () => {
    expect(readWriteOptions(undefined, 'CreateOptions').fieldValidation).toBe('Warn')
    expect(readWriteOptions(query('fieldValidation=Strict'), 'CreateOptions').fieldValidation).toBe('Strict')
    expect(() => readWriteOptions(query('fieldValidation=Maybe'), 'CreateOptions')).toThrow(/Unsupported value: "Maybe"/)
  })

  it('accepts no dry run but All', () => {
    expect(readWriteOptions(query('dryRun=All'), 'CreateOptions').dryRun).toBe(true)
    expect(() => readWriteOptions(query('dryRun=true'), 'CreateOptions')).toThrow(expect.objectContaining({ status: 422 }))
  })

  it('refuses a field manager that is too long or not printable', () => {
    expect(() => readWriteOptions(query(`fieldManager=${'x'.repeat(129)}`), 'UpdateOptions')).toThrow(/fieldManager/)
    expect(() => readWriteOptions(query('fieldManager=a%07b'), 'UpdateOptions')).toThrow(/fieldManager/)
  })
})

describe('readDeleteOptions', () => {
  it('takes the body before the query', () => {
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 5,
      propagationPolicy: 'Foreground',
      preconditions: { uid: 'u' },
      dryRun: ['All'],
    }
    expect(readDeleteOptions(query('gracePeriodSeconds=9'), body)).toEqual({
      gracePeriodSeconds: 5,
      propagationPolicy: 'Foreground',
      preconditions: { uid: 'u', resourceVersion: undefined },
      dryRun: true,
    })
  })

  it('reads the query without a body, old forms too', () => {
    expect(readDeleteOptions(query('gracePeriodSeconds=0&orphanDependents=true'), undefined)).toEqual({
      gracePeriodSeconds: 0,
      propagationPolicy: 'Orphan',
      dryRun: false,
    })
  })

  it.each([
    [[], /must be an object/],
    [{ kind: 'Pod' }, /must be DeleteOptions/],
    [{ gracePeriodSeconds: -1 }, /greater than or equal to 0/],
    [{ gracePeriodSeconds: '1' }, /must be a number/],
    [{ propagationPolicy: 'Sideways' }, /Unsupported value: "Sideways"/],
    [{ propagationPolicy: 'Orphan', orphanDependents: true }, /cannot be both set/],
    [{ preconditions: 'x' }, /must be an object/],
    [{ dryRun: 'All' }, /must be a list/],
    [{ dryRun: ['Some'] }, /Unsupported value: "Some"/],
  ])('refuses %j', (body, message) => {
    expect(() => readDeleteOptions(undefined, body)).toThrow(message)
  })
})
