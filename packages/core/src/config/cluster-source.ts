import type { Problem } from '../host/problem.ts'
import type { ElectionOptions } from '../leader/election-options.ts'
import type { AnyPlugin, ConfiguredPlugin, HostRole } from '../plugin/plugin.ts'
import { markSecrets } from './secret-ref.ts'

/** What a slot of a TypeScript config file holds: a plugin with its configuration, the same with roles, or `null` to remove an inherited one. */
export type SlotSource =
  | ConfiguredPlugin
  | AnyPlugin
  | { readonly use?: string; readonly with?: unknown; readonly roles?: readonly HostRole[] }
  | { readonly plugin: AnyPlugin; readonly config?: unknown; readonly roles?: readonly HostRole[] }
  | null

/** A config file, as its author writes it. */
export interface ClusterSource {
  /** Format of the file. */
  readonly version?: 1
  readonly name?: string
  /** Roles that this process runs. */
  readonly roles?: readonly HostRole[]
  /** Path (relative to this file) or package of the file that this one changes. */
  readonly extends?: string
  readonly leaderElection?: boolean | ElectionOptions
  readonly plugins?: Readonly<Record<string, SlotSource>>
}

/**
 * Types a TypeScript config file; does nothing at run time.
 * @example export default defineCluster({ name: 'demo', plugins: { store: sqliteStore.with({ path: './data' }) } })
 */
export const defineCluster = (source: ClusterSource): ClusterSource => source

/** How a slot names its plugin. */
export type Use = { readonly specifier: string; readonly base: string } | { readonly plugin: AnyPlugin }

/** A slot of one layer. What is undefined says nothing; `with` holds secrets as references. */
export interface SlotLayer {
  readonly use?: Use
  readonly with?: unknown
  readonly roles?: readonly HostRole[]
}

/** One file, read and checked by itself. */
export interface ClusterLayer {
  readonly file: string
  readonly name?: string
  readonly roles?: readonly HostRole[]
  readonly extends?: string
  readonly leaderElection?: boolean | ElectionOptions
  /** `null` removes the slot. */
  readonly plugins: ReadonlyMap<string, SlotLayer | null>
}

const topKeys = ['version', 'name', 'roles', 'extends', 'leaderElection', 'plugins']
const slotKeys = ['use', 'with', 'roles']
const electionKeys = ['namespace', 'name', 'identity', 'leaseMs', 'renewDeadlineMs', 'retryMs']
const allRoles: readonly HostRole[] = ['control-plane', 'node']

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

interface Reading {
  readonly base: string
  problem(code: string, path: string, message: string, hint?: string): void
  readonly problems: Problem[]
}

function unknownKeys(map: Record<string, unknown>, known: readonly string[], path: string, reading: Reading): void {
  for (const key of Object.keys(map)) {
    if (!known.includes(key))
      reading.problem('CONFIG_UNKNOWN_KEY', path === '' ? key : `${path}.${key}`, 'unknown key', `known keys: ${known.join(', ')}`)
  }
}

function readRoles(value: unknown, path: string, reading: Reading): readonly HostRole[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length === 0) {
    reading.problem('CONFIG_INVALID', path, `must be a list of roles: ${allRoles.join(', ')}`)
    return undefined
  }
  value.forEach((role, at) => {
    if (!allRoles.includes(role))
      reading.problem('CONFIG_INVALID', `${path}[${at}]`, `unknown role ${JSON.stringify(role)}`, `roles are ${allRoles.join(', ')}`)
  })
  return value.filter((role) => allRoles.includes(role))
}

const readText = (value: unknown, path: string, reading: Reading): string | undefined => {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  reading.problem('CONFIG_INVALID', path, 'must be a non-empty text')
  return undefined
}

/** Tells a plugin itself from a slot that names one. */
const isPlugin = (value: Record<string, unknown>): boolean => typeof value.name === 'string' && typeof value.api === 'string'

function readSlot(value: unknown, path: string, reading: Reading): SlotLayer | null | undefined {
  if (value === null) return null
  if (!isMap(value)) {
    reading.problem('CONFIG_INVALID', path, 'must be a map with `use`, or null to remove the slot')
    return undefined
  }
  if (isPlugin(value)) return { use: { plugin: value as unknown as AnyPlugin } }
  if (isMap(value.plugin)) {
    unknownKeys(value, ['plugin', 'config', 'roles'], path, reading)
    if (!isPlugin(value.plugin)) reading.problem('CONFIG_NOT_A_PLUGIN', `${path}.plugin`, 'is no plugin', 'make it with definePlugin')
    return {
      use: { plugin: value.plugin as unknown as AnyPlugin },
      with: markSecrets(value.config, reading.base, `${path}.with`, reading.problems),
      roles: readRoles(value.roles, `${path}.roles`, reading),
    }
  }
  unknownKeys(value, slotKeys, path, reading)
  const specifier = readText(value.use, `${path}.use`, reading)
  if (value.with !== undefined && value.with !== null && !isMap(value.with))
    reading.problem('CONFIG_INVALID', `${path}.with`, 'must be a map')
  return {
    use: specifier === undefined ? undefined : { specifier, base: reading.base },
    with: isMap(value.with) ? markSecrets(value.with, reading.base, `${path}.with`, reading.problems) : undefined,
    roles: readRoles(value.roles, `${path}.roles`, reading),
  }
}

function readElection(value: unknown, reading: Reading): boolean | ElectionOptions | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  if (!isMap(value)) {
    reading.problem('CONFIG_INVALID', 'leaderElection', 'must be true, false or a map')
    return undefined
  }
  unknownKeys(value, electionKeys, 'leaderElection', reading)
  for (const key of ['leaseMs', 'renewDeadlineMs', 'retryMs']) {
    if (value[key] !== undefined && !(typeof value[key] === 'number' && value[key] > 0))
      reading.problem('CONFIG_INVALID', `leaderElection.${key}`, 'must be a number of milliseconds above 0')
  }
  for (const key of ['namespace', 'name', 'identity']) readText(value[key], `leaderElection.${key}`, reading)
  return value
}

/** Checks the shape of one file and marks what depends on the file's place. Every fault becomes a problem with its path. */
export function readLayer(source: unknown, file: string, base: string, problems: Problem[]): ClusterLayer {
  const reading: Reading = {
    base,
    problems,
    problem: (code, path, message, hint) => void problems.push({ code, path, message, hint, file }),
  }
  if (!isMap(source)) {
    reading.problem('CONFIG_INVALID', '', `${file} must hold a map`, 'begin with `version: 1`')
    return { file, plugins: new Map() }
  }
  unknownKeys(source, topKeys, '', reading)
  if (source.version !== undefined && source.version !== 1) {
    reading.problem(
      'CONFIG_VERSION',
      'version',
      `format ${JSON.stringify(source.version)} is not known to this program`,
      'write `version: 1`, or install a newer program',
    )
  }
  const plugins = new Map<string, SlotLayer | null>()
  if (source.plugins !== undefined && source.plugins !== null && !isMap(source.plugins))
    reading.problem('CONFIG_INVALID', 'plugins', 'must be a map of slots')
  for (const [slot, value] of Object.entries(isMap(source.plugins) ? source.plugins : {})) {
    const read = readSlot(value, `plugins.${slot}`, reading)
    if (read !== undefined) plugins.set(slot, read)
  }
  return {
    file,
    name: readText(source.name, 'name', reading),
    roles: readRoles(source.roles, 'roles', reading),
    extends: readText(source.extends, 'extends', reading),
    leaderElection: readElection(source.leaderElection, reading),
    plugins,
  }
}
