/**
 * Writes src/generated from the two development dependencies that know Kubernetes' API: the documented declarations of
 * kubernetes-models, and the formats and paths of @kubernetes/client-node. Does nothing when neither they nor the generator changed.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { groups, machinery, prefixOf } from './generate/model.ts'

const root = join(import.meta.dirname, '..')
const target = join(root, 'src/generated')
const modelsRoot = realpathSync(join(root, 'node_modules/kubernetes-models'))
const clientRoot = join(realpathSync(join(root, 'node_modules/@kubernetes/client-node')), 'dist')

const stamp = inputStamp()
const stampFile = join(target, '.stamp')
if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
  console.log('src/generated is up to date')
} else {
  await generate()
}

/** Hash over the generator itself and the versions of what it reads. */
function inputStamp(): string {
  const hash = createHash('sha256')
  const scripts = [
    join(root, 'scripts/generate.ts'),
    ...readdirSync(join(root, 'scripts/generate')).map((name) => join(root, 'scripts/generate', name)),
  ]
  for (const path of [...scripts.sort(), join(modelsRoot, 'package.json'), join(clientRoot, '../package.json')])
    hash.update(readFileSync(path))
  return hash.digest('hex')
}

async function generate(): Promise<void> {
  const [
    { readDeclarations },
    { readResources, withFormats },
    { metricsDefinitions },
    { emitTypes },
    { emitDefinitions, emitDescriptions, emitResources },
  ] = await Promise.all([
    import('./generate/read-declarations.ts'),
    import('./generate/read-client.ts'),
    import('./generate/metrics.ts'),
    import('./generate/emit-types.ts'),
    import('./generate/emit-tables.ts'),
  ])
  const started = performance.now()
  const { definitions: formatted, dropped } = withFormats(readDeclarations(modelsRoot), clientRoot)
  const definitions = [...formatted, ...metricsDefinitions]
  const known = new Set(definitions.map((definition) => definition.name))
  for (const part of machinery)
    if (![...known].some((name) => prefixOf(name) === part.prefix)) throw new RangeError(`nothing found under ${part.prefix}`)
  const resources = new Map(groups.map((group) => [group, readResources(group, clientRoot, known)]))
  const files = new Map([
    ...emitTypes(definitions),
    ['definitions.ts', emitDefinitions(definitions)],
    ['descriptions.ts', emitDescriptions(definitions)],
    ['resources.ts', emitResources(resources)],
    ['.stamp', stamp],
  ])
  write(files)
  const properties = definitions.reduce((sum, definition) => sum + definition.properties.length, 0)
  const kinds = definitions.filter((definition) => definition.root !== undefined).length
  if (process.argv.includes('--verbose')) for (const name of dropped) console.log(`not in release 1.36: ${name}`)
  console.log(
    `${definitions.length} definitions, ${properties} properties, ${kinds} kinds in ${Math.round(performance.now() - started)} ms`,
  )
}

/** Writes beside the target and swaps, so that nobody who reads meanwhile sees half of it. */
function write(files: ReadonlyMap<string, string>): void {
  const staged = `${target}.${process.pid}`
  for (const [name, content] of files) {
    const path = join(staged, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  rmSync(target, { recursive: true, force: true })
  renameSync(staged, target)
}
