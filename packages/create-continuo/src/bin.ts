#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { isContinuoError } from '@continuo/core'
import { Command } from 'commander'
import { scaffold } from './scaffold.ts'
import { templateNames } from './templates.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string }

const program = new Command('create-continuo')
  .description('Starts a plugin or a cluster for Continuo')
  .argument('<directory>', 'where it is written')
  .option('-t, --template <name>', `one of ${(await templateNames()).join(', ')}`, 'scheduling-rule')
  .option('-n, --name <name>', "the package's name; default: that of the directory")
  .option('-f, --force', 'overwrite files that differ')
  .version(version)
  .action(async (directory: string, flags: { readonly template: string; readonly name?: string; readonly force?: boolean }) => {
    const target = resolve(directory)
    const result = await scaffold({
      template: flags.template,
      directory: target,
      name: flags.name ?? basename(target),
      version: `^${version}`,
      force: flags.force,
    })
    for (const { path, patch } of result.conflicts) process.stderr.write(`${path} differs from the template:\n${patch}\n`)
    if (result.conflicts.length > 0) {
      process.stderr.write('nothing was written; keep your edits, or overwrite them with --force\n')
      process.exitCode = 1
      return
    }
    for (const path of result.written) process.stdout.write(`wrote ${path}\n`)
    process.stdout.write(`\ngo on with:\n  cd ${directory}\n  npm install\n  npm test\n`)
  })

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = 1
  process.stderr.write(
    isContinuoError(error) ? `error: ${error.message}\n  ${error.hint ?? ''}\n` : `${error instanceof Error ? error.stack : error}\n`,
  )
}
