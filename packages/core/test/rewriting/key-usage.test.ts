import { expect, it } from 'vitest'
import { KeyUsage } from '../../src/rewriting/key-usage.ts'

const none = new Map<string, number>()

it('tells a key once, when the history that it wrote is compacted', () => {
  const usage = new KeyUsage(['new', 'old'])
  usage.scanned(new Map([['old', 2]]), new Set(['new']), 10)
  expect(usage.takeRetired(100)).toEqual([])
  usage.scanned(new Map([['new', 2]]), new Set(['new']), 20)
  expect(usage.takeRetired(19)).toEqual([])
  expect(usage.takeRetired(20)).toEqual(['old'])
  expect(usage.takeRetired(30)).toEqual([])
})

it('never tells the key that writes, although nothing lies under it yet', () => {
  const usage = new KeyUsage(['new'])
  usage.scanned(none, new Set(['new']), 10)
  expect(usage.takeRetired(100)).toEqual([])
})

it('begins anew when somebody writes with an old key again', () => {
  const usage = new KeyUsage(['new', 'old'])
  const writing = new Set(['new'])
  usage.scanned(none, writing, 10)
  usage.scanned(new Map([['old', 1]]), writing, 20)
  expect(usage.takeRetired(20)).toEqual([])
  usage.scanned(none, writing, 30)
  expect(usage.takeRetired(29)).toEqual([])
  expect(usage.takeRetired(30)).toEqual(['old'])
})
