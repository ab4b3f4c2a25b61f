import { reasonCodes } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { createProgram } from '../../packages/continuo/src/program.ts'
import { tableRows } from './markdown.ts'
import { sources, withoutComments } from './workspace-files.ts'

/** Upper-case texts in sources that are no codes of ours: of the platform, of libraries, of the environment. */
const foreign =
  /^(ERR|HPE|EAI|CAP|SYS|SCMP)_|_CERT_IN_CHAIN$|^CERT_HAS_EXPIRED$|^(DEPTH_ZERO|UNABLE_TO)_|^MODULE_NOT_FOUND$|^MULTIPLE_DOCS$|^KEY_NAME$|^MY_NAME$|^TEST_OPERATION_FAILED$|^CONTINUO_|_HOME$/

/** Rights of a process, as pods name them: `securityContext.capabilities`. */
const linuxCapabilities = new Set(['AUDIT_WRITE', 'DAC_OVERRIDE', 'NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW'])

/** Codes by the packages that name them. */
function codesInSources(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const source of sources()) {
    for (const [, code = ''] of withoutComments(source.text).matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)) {
      if (!foreign.test(code) && !linuxCapabilities.has(code)) found.set(code, (found.get(code) ?? new Set()).add(source.package))
    }
  }
  // These are made of a reason.
  for (const reason of Object.keys(reasonCodes)) {
    found.set(`API_${reason.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()}`, new Set(['core']))
  }
  return found
}

describe('docs/errors.md', () => {
  const rows = tableRows('docs/errors.md', 'code')
  const codes = codesInSources()

  it('names every code of the packages and no other', () => {
    expect(rows.map(([code]) => code)).toEqual([...codes.keys()].sort())
  })

  it('names the packages that have the code, says what it means and what to do', () => {
    for (const [code = '', owners = '', meaning = '', remedy = ''] of rows) {
      for (const owner of owners.split(', ')) expect([...(codes.get(code) ?? [])], code).toContain(owner)
      expect(meaning.length, code).toBeGreaterThan(5)
      expect(remedy.length, code).toBeGreaterThan(5)
    }
  })
})

describe('docs/metrics.md', () => {
  it('names every metric of the packages with its type, and no other', () => {
    const made = sources().flatMap((source) =>
      [...source.text.matchAll(/\.(counter|gauge|histogram)\(\s*'([a-z]+_[a-z_]+)'/g)].map(
        ([, type, name]) => `${name} ${type} ${source.package}`,
      ),
    )
    expect(made.length).toBeGreaterThan(5)
    const rows = tableRows('docs/metrics.md', 'metric')
    expect(rows.map(([name, type, , owner]) => `${name} ${type} ${owner}`).sort()).toEqual(made.sort())
  })
})

describe('docs/cluster.md', () => {
  it('names every flag of every command', async () => {
    const rows = tableRows('docs/cluster.md', 'command')
    const { commands } = createProgram()
    expect(rows.map(([command = '']) => command.split(' ')[1])).toEqual(commands.map((command) => command.name()))
    const flagsOfUp = commands[0]?.options.map((option) => option.long) ?? []
    for (const [at, command] of commands.entries()) {
      const flags = command.options.map((option) => option.long).sort()
      const told = (rows[at]?.[2] ?? '').matchAll(/--[a-z-]+/g)
      const named = rows[at]?.[2] === 'those of up' ? flagsOfUp : [...told].map(([flag]) => flag)
      expect([...named].sort(), command.name()).toEqual(flags)
    }
  })
})
