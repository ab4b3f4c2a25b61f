/**
 * Rewrites the Config tables in the READMEs of packages from the schemas of their plugins, between
 * `<!-- config: EXPORT -->` and `<!-- /config -->`. With `--check` it changes nothing and fails when one is stale.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { configTable, replaceTables } from './config-table.ts'

const packages = fileURLToPath(new URL('../packages', import.meta.url))
const check = process.argv.includes('--check')
let stale = 0
for (const name of (await readdir(packages)).sort()) {
  const file = join(packages, name, 'README.md')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined || !text.includes('<!-- config: ')) continue
  const module = (await import(pathToFileURL(join(packages, name, 'src', 'index.ts')).href)) as Record<string, unknown>
  const next = replaceTables(text, (plugin) => configTable(module[plugin], `${name}#${plugin}`))
  if (next === text) continue
  stale++
  if (!check) await writeFile(file, next)
  process.stdout.write(`${check ? 'stale' : 'rewritten'}: packages/${name}/README.md\n`)
}
if (check && stale > 0) process.exitCode = 1
