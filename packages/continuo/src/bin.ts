#!/usr/bin/env node
import { createProgram } from './program.ts'

const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 24) {
  process.stderr.write(
    `continuo needs Node 24 or newer, this is ${process.version}: run it through \`npm start\`, \`pnpm run\` or \`npx\`, which bring their own\n`,
  )
  process.exit(1)
}
await createProgram().parseAsync()
