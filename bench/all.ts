// Runs every benchmark, one after the other: node bench/all.ts (after `pnpm run build`, for the bench of the start).

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

let failed = false
for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith('.bench.ts'))) {
  console.log(`\n## ${file}\n`)
  const began = performance.now()
  const args = ['--expose-gc', '--conditions=@continuo/source', `${import.meta.dirname}/${file}`]
  failed = spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0 || failed
  console.log(`\n(${((performance.now() - began) / 1_000).toFixed(0)} s)`)
}
process.exitCode = failed ? 1 : 0
