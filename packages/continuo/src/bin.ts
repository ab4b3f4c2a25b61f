#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { compileCacheDirectory } from './compile-cache.ts'

const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 24) {
  process.stderr.write(
    `continuo needs Node 24 or newer, this is ${process.version}: run it through \`npm start\`, \`pnpm run\` or \`npx\`, which bring their own\n`,
  )
  process.exit(1)
}
// Halves the time to start. Whatever fails here costs only that time.
const directory = compileCacheDirectory(process.env)
if (directory !== undefined) enableCompileCache(directory)
const { createProgram } = await import('./program.ts')
await createProgram().parseAsync()
