import { describe, expect, it } from 'vitest'
import { parseJsonPath } from '../../../src/index.ts'

const object = {
  spec: { size: 3, 'a.b': 1, list: [{ n: 'x' }, { n: 'y' }] },
  metadata: { labels: { 'app.io/name': 'web' } },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Done', status: 'False' },
    ],
  },
}

describe('parseJsonPath', () => {
  it.each([
    ['.spec.size', [3]],
    ['{.spec.size}', [3]],
    ['$.spec.size', [3]],
    ['.spec.a\\.b', [1]],
    [".metadata.labels['app.io/name']", ['web']],
    ['.metadata.labels.app\\.io/name', ['web']],
    ['.spec.list[0].n', ['x']],
    ['.spec.list[-1].n', ['y']],
    ['.spec.list[*].n', ['x', 'y']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type!='Ready')].status", ['False']],
    ['.status.conditions[?(@.reason)].status', []],
    ['.spec.absent.deeper', []],
    ['.spec.constructor', []],
  ])('%s', (path, found) => {
    expect(parseJsonPath(path).find(object)).toEqual(found)
  })

  it('knows which paths can be written to', () => {
    expect(parseJsonPath('.spec.size').fields).toEqual(['spec', 'size'])
    expect(parseJsonPath('.spec.list[0]').fields).toBeUndefined()
  })

  it.each(['', '.', 'spec', '.spec[', '.spec[x]', '.a[?(@.b==c)]', '..a'])('refuses %j', (path) => {
    expect(() => parseJsonPath(path)).toThrow(expect.objectContaining({ code: 'JSON_PATH_INVALID' }))
  })
})
