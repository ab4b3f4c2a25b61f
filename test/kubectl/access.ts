import { expect, test } from 'vitest'
import type { Bench } from './cluster.ts'

/** Verbs of later capabilities: what they need is not served yet, and they say so. */
export function accessCases(bench: () => Bench): void {
  test('top says that there are no metrics', async () => {
    expect(await bench().refused('top', 'nodes')).toBe('error: Metrics API not available\n')
    expect(await bench().refused('top', 'pods')).toBe('error: Metrics API not available\n')
  })

  test('auth whoami, auth can-i and create token answer, or say that they are not served', async () => {
    const { run } = bench()
    const whoami = await run(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'])
    expect(whoami.code === 0 ? whoami.stdout !== '' : /SelfSubjectReview|NotFound/.test(whoami.stderr)).toBe(true)
    const may = await run(['auth', 'can-i', 'get', 'pods'])
    expect(may.code === 0 ? may.stdout : may.stderr).toMatch(/^yes\n$|NotFound/)
    const token = await run(['create', 'token', 'default'])
    expect(token.code === 0 ? token.stdout : token.stderr).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$|failed to create token/)
  })
}
