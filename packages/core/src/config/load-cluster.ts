import { basename, dirname, resolve } from 'node:path'
import { rolesOf, type SlotSpec } from '../host/checked-slot.ts'
import { createHost, type Inherited } from '../host/host.ts'
import { CheckError, type Problem } from '../host/problem.ts'
import type { ElectionOptions } from '../leader/election-options.ts'
import type { AnyPlugin, HostRole } from '../plugin/plugin.ts'
import type { SlotLayer, Use } from './cluster-source.ts'
import { type ImportModule, importModule, isInstalled } from './import-module.ts'
import { loadLayers } from './load-layers.ts'
import { mergeLayers } from './merge-layers.ts'
import { revealSecrets, type SecretSources } from './secret-ref.ts'

/** A slot with its plugin imported and its secrets in place. */
export interface ClusterSlotConfig extends SlotSpec {
  /** Narrows the plugin's own roles. */
  readonly roles?: readonly HostRole[]
}

/** A config file with everything that it extends: ready to make hosts of. */
export interface ClusterConfig {
  /** The file that was asked for. */
  readonly file: string
  readonly name: string
  readonly roles: readonly HostRole[]
  readonly leaderElection?: boolean | ElectionOptions
  readonly slots: readonly ClusterSlotConfig[]
  /** Slots that the file removed with `null`: hosts want them for their hints. */
  readonly removed: readonly { readonly slot: string; readonly plugin: AnyPlugin }[]
}

export interface LoadOptions extends Partial<SecretSources> {
  /** Default: Node's import, relative to the file that names the module. */
  readonly importModule?: ImportModule
  /** Asked for packages that are not installed beside the config file: a distribution's own plugins. */
  readonly fallbackImport?: (specifier: string) => Promise<unknown>
  /** The same for `extends`: gives the file that a specifier names, or throws. */
  readonly fallbackResolve?: (specifier: string) => string
}

const isPlugin = (value: unknown): value is AnyPlugin =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as AnyPlugin).name === 'string' &&
  typeof (value as AnyPlugin).api === 'string'

async function importPlugin(use: Use, path: string, options: LoadOptions, problems: Problem[]): Promise<AnyPlugin | undefined> {
  if ('plugin' in use) return isPlugin(use.plugin) ? use.plugin : undefined
  const [specifier = '', name = 'default'] = use.specifier.split('#')
  const fault = (code: string, message: string, hint?: string): undefined => {
    problems.push({ code, path: `${path}.use`, message, hint })
    return undefined
  }
  let module: Record<string, unknown>
  try {
    const installed = specifier.startsWith('.') || specifier.startsWith('/') || isInstalled(specifier, use.base)
    const load =
      installed || options.fallbackImport === undefined
        ? () => (options.importModule ?? importModule)(specifier, use.base)
        : () => options.fallbackImport?.(specifier)
    module = (await load()) as Record<string, unknown>
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
      ? fault(
          'CONFIG_NOT_INSTALLED',
          `${specifier} cannot be found from ${use.base}`,
          specifier.startsWith('.') ? undefined : `npm i ${specifier}`,
        )
      : fault('CONFIG_IMPORT_FAILED', `${specifier} failed to load: ${message}`)
  }
  const exported = module[name]
  if (isPlugin(exported)) return exported
  const plugins = Object.entries(module)
    .filter(([, value]) => isPlugin(value))
    .map(([key]) => key)
  return fault(
    'CONFIG_NOT_A_PLUGIN',
    `${specifier} exports no plugin ${JSON.stringify(name)}`,
    plugins.length === 0 ? undefined : `its plugins are ${plugins.map((key) => `${specifier}#${key}`).join(', ')}`,
  )
}

async function loadSlot(slot: string, layer: SlotLayer, options: LoadOptions, problems: Problem[]): Promise<ClusterSlotConfig | undefined> {
  const path = `plugins.${slot}`
  if (layer.use === undefined) {
    problems.push({
      code: 'CONFIG_INVALID',
      path,
      message: 'has no `use`, and nothing that it extends fills the slot',
      hint: 'name the plugin: `use: "package#export"`',
    })
    return undefined
  }
  const [plugin, config] = await Promise.all([
    importPlugin(layer.use, path, options, problems),
    revealSecrets(layer.with, { env: options.env ?? process.env, readFile: options.readFile }, `${path}.with`, problems),
  ])
  if (plugin === undefined) return undefined
  for (const role of layer.roles ?? []) {
    if (!rolesOf(plugin).includes(role)) {
      problems.push({
        code: 'CONFIG_ROLE',
        path: `${path}.roles`,
        message: `plugin ${plugin.name} does not run in ${role}`,
        hint: `roles may narrow ${rolesOf(plugin).join(', ')}, never widen`,
      })
    }
  }
  return { slot, plugin, config, roles: layer.roles }
}

async function read(
  path: string,
  options: LoadOptions,
): Promise<{ readonly config: ClusterConfig; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = []
  const file = resolve(path)
  const merged = mergeLayers(await loadLayers(file, options.importModule ?? importModule, problems, options.fallbackResolve))
  const slots = await Promise.all([...merged.plugins].map(([slot, layer]) => loadSlot(slot, layer, options, problems)))
  // What was removed matters for hints alone: that it cannot be loaded is no fault.
  const removed = await Promise.all(
    [...merged.removed].map(async ([slot, layer]) => ({ slot, plugin: layer.use && (await importPlugin(layer.use, '', options, [])) })),
  )
  return {
    problems,
    config: {
      file,
      name: merged.name ?? basename(dirname(file)),
      roles: merged.roles ?? ['control-plane', 'node'],
      leaderElection: merged.leaderElection,
      slots: slots.filter((slot) => slot !== undefined).sort((a, b) => (a.slot < b.slot ? -1 : 1)),
      removed: removed.flatMap(({ slot, plugin }) => (plugin === undefined ? [] : [{ slot, plugin }])),
    },
  }
}

/** Reads a config file, what it extends, its plugins and its secrets. Throws one {@link CheckError} with every fault. */
export async function loadCluster(path: string, options: LoadOptions = {}): Promise<ClusterConfig> {
  const { config, problems } = await read(path, options)
  if (problems.length > 0) throw new CheckError(config.file, problems)
  return config
}

/** The slots of one role's host. */
export const slotsFor = (config: ClusterConfig, role: HostRole): readonly SlotSpec[] =>
  config.slots
    .filter(({ plugin, roles }) => (roles ?? rolesOf(plugin)).includes(role) && rolesOf(plugin).includes(role))
    .map(({ slot, plugin, config: value }) => ({ slot, plugin, config: value }))

/**
 * Every fault of a config file and of the hosts that it describes, at once and without side effects beyond importing the plugins' modules.
 * @param inherit What the hosts of a role get from outside.
 */
export async function checkCluster(
  path: string,
  options: LoadOptions & { readonly inherit?: (role: HostRole) => readonly Inherited[] } = {},
): Promise<readonly Problem[]> {
  const { config, problems } = await read(path, options)
  const perRole = await Promise.all(
    config.roles.map((role) =>
      createHost({
        name: config.name,
        role,
        plugins: slotsFor(config, role),
        inherit: options.inherit?.(role),
        removed: config.removed,
      }).check(),
    ),
  )
  // A slot that could not be loaded makes others miss what it would have provided: its own fault is the one to report.
  const incomplete = problems.some((problem) => /^plugins\.[^.]+(\.use)?$/.test(problem.path))
  const found = [...problems, ...perRole.flat().filter((problem) => !(incomplete && problem.code === 'CAPABILITY_MISSING'))]
  return [...new Map(found.map((problem) => [`${problem.path}\n${problem.message}`, problem])).values()]
}
