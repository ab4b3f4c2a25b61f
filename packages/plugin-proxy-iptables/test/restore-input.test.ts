import { describe, expect, it } from 'vitest'
import { readSaved } from '../src/read-saved.ts'
import { restoreInputs } from '../src/restore-input.ts'

const change = (key: string, after?: string, before?: string) => ({ key, before, after })

describe('restoreInputs', () => {
  it('makes a change one transaction of each table: chains, rules, then what is deleted', () => {
    const texts = restoreInputs([
      change('chain nat C-SEP-2', '-j DNAT --to-destination 10.0.0.2:80'),
      change('chain nat C-SVC-1', '-j C-SEP-2', '-j C-SEP-1'),
      change('rule filter C-REFUSED x', undefined, '-d 10.96.0.1 -j REJECT'),
      change('chain nat C-SEP-1', undefined, '-j DNAT --to-destination 10.0.0.1:80'),
    ])
    expect(texts).toEqual([
      `*filter
-D C-REFUSED -d 10.96.0.1 -j REJECT
COMMIT
*nat
:C-SEP-1 - [0:0]
:C-SEP-2 - [0:0]
:C-SVC-1 - [0:0]
-A C-SEP-2 -j DNAT --to-destination 10.0.0.2:80
-A C-SVC-1 -j C-SEP-2
-X C-SEP-1
COMMIT
`,
    ])
  })

  it('makes many changes several texts in which each rule finds its target, and deletes last', () => {
    const services = Array.from({ length: 3_000 }, (_, index) => [
      change(`chain nat C-SVC-${index}`, '-j ACCEPT'),
      change(`rule nat C-SERVICES ${index}`, `-d 10.96.0.1 -j C-SVC-${index}`),
    ]).flat()
    const texts = restoreInputs([change('open nat C-SERVICES', ''), ...services, change('chain nat C-OLD', undefined, '-j ACCEPT')])
    expect(texts.length).toBeGreaterThan(3)
    const known = new Set<string>()
    for (const text of texts) {
      for (const [, chain = ''] of text.matchAll(/^:(\S+)/gm)) known.add(chain)
      for (const [, target = ''] of text.matchAll(/-j (C-SVC-\S+)/g)) expect(known.has(target)).toBe(true)
    }
    expect(texts.at(-1)).toBe('*nat\n-X C-OLD\nCOMMIT\n')
    expect(texts.slice(0, -1).join('')).not.toContain('-X')
  })

  it('makes nothing of nothing', () => expect(restoreInputs([])).toEqual([]))
})

describe('readSaved', () => {
  it('knows its own chains and rules by their marks, those of others by their words, and leaves the rest', () => {
    const saved = `*nat
:PREROUTING ACCEPT [0:0]
:C-SERVICES - [0:0]
:C-SVC-1 - [0:0]
:DOCKER - [0:0]
-A PREROUTING -m comment --comment aaa -j C-PORTALS
-A PREROUTING -j DOCKER
-A C-SERVICES -d 10.96.0.1/32 -m comment --comment "bbb" -j C-SVC-1
-A C-SERVICES -j RETURN
-A C-SVC-1 -m comment --comment ccc -j C-SEP-1
-A DOCKER -j RETURN
COMMIT
`
    expect([...readSaved(saved, 'C', new Set(['nat C-SERVICES'])).signatures]).toEqual([
      ['open nat C-SERVICES', ''],
      ['jump nat PREROUTING', 'aaa'],
      ['rule nat C-SERVICES bbb', ''],
      ['rule nat C-SERVICES -j RETURN', ''],
      ['chain nat C-SVC-1', 'ccc'],
    ])
  })
})
