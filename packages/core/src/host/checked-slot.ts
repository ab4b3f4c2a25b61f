import satisfies from 'semver/functions/satisfies.js'
import type { AnyCapability } from '../capability/capability.ts'
import type { AnyHook } from '../hooks/hook.ts'
import { apiVersion } from '../plugin/api-version.ts'
import type { AnyPlugin, HostRole, PermissionRule, Requirements } from '../plugin/plugin.ts'
import type { ResourceDefinition } from '../resources/resource.ts'
import type { Problem } from './problem.ts'

/** A plugin in its place: what the config file calls `plugins.<slot>`. */
export interface SlotSpec {
  readonly slot: string
  readonly plugin: AnyPlugin
  readonly config?: unknown
}

/** A slot whose configuration is valid and whose declarations are known. */
export interface CheckedSlot {
  readonly slot: string
  readonly plugin: AnyPlugin
  readonly config: unknown
  readonly requires: Requirements
  readonly provides: readonly AnyCapability[]
  readonly kinds: readonly ResourceDefinition[]
  readonly permissions: readonly PermissionRule[]
  readonly taps: readonly AnyHook[]
  /** `provides` depends on a configuration that is invalid: what the slot would provide is not known. */
  readonly providesUnknown: boolean
}

export const rolesOf = (plugin: AnyPlugin): readonly HostRole[] => plugin.roles ?? ['control-plane']

const isEmpty = (config: unknown): boolean =>
  config === undefined || config === null || (typeof config === 'object' && Object.keys(config).length === 0)

const pathOf = (issue: { readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] }): string =>
  (issue.path ?? [])
    .map((part) => String(typeof part === 'object' ? part.key : part))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')

async function checkConfig(spec: SlotSpec, problems: Problem[]): Promise<unknown> {
  const path = `plugins.${spec.slot}.with`
  const { config: schema, name } = spec.plugin
  if (schema === undefined) {
    if (!isEmpty(spec.config)) {
      problems.push({
        code: 'CONFIG_NOT_TAKEN',
        path,
        message: `plugin ${name} takes no configuration`,
        hint: 'remove `with`',
      })
    }
    return undefined
  }
  const result = await schema['~standard'].validate(spec.config ?? {})
  if (result.issues === undefined) return result.value
  for (const issue of result.issues)
    problems.push({
      code: 'CONFIG_INVALID',
      path: `${path}${pathOf(issue)}`,
      message: issue.message,
    })
  return undefined
}

/** Evaluates a declaration that is static or a function of the configuration. */
function declared<T>(
  spec: SlotSpec,
  config: unknown,
  field: 'provides' | 'kinds' | 'permissions' | 'taps',
  problems: Problem[],
): readonly T[] {
  const value = spec.plugin[field] as readonly T[] | ((config: unknown) => readonly T[]) | undefined
  try {
    return typeof value === 'function' ? value(config) : (value ?? [])
  } catch (error) {
    problems.push({
      code: 'PLUGIN_DECLARATION_FAILED',
      path: `plugins.${spec.slot}`,
      message: `\`${field}\` of plugin ${spec.plugin.name} threw: ${error instanceof Error ? error.message : String(error)}`,
    })
    return []
  }
}

/** Checks one slot by itself: API range, role, configuration. Runs nothing of the plugin but its schema and pure declarations. */
export async function checkSlot(
  spec: SlotSpec,
  role: HostRole,
): Promise<{
  readonly checked: CheckedSlot
  readonly problems: readonly Problem[]
}> {
  const problems: Problem[] = []
  const { plugin, slot } = spec
  const path = `plugins.${slot}`
  if (!satisfies(apiVersion, plugin.api)) {
    problems.push({
      code: 'PLUGIN_API_RANGE',
      path,
      message: `plugin ${plugin.name} works with core API ${plugin.api}, this is ${apiVersion}`,
      hint: 'install a version of the plugin that fits',
    })
  }
  if (!rolesOf(plugin).includes(role)) {
    problems.push({
      code: 'PLUGIN_ROLE',
      path,
      message: `plugin ${plugin.name} runs in ${rolesOf(plugin).join(', ')}, not in ${role}`,
    })
  }
  const config = await checkConfig(spec, problems)
  const configured = !problems.some((problem) => problem.code === 'CONFIG_INVALID')
  // A function of the configuration is never called with one that is invalid; static declarations are known all the same.
  const read = <T>(field: 'provides' | 'kinds' | 'permissions' | 'taps'): readonly T[] =>
    configured || typeof plugin[field] !== 'function' ? declared<T>(spec, config, field, problems) : []
  return {
    checked: {
      slot,
      plugin,
      config,
      requires: plugin.requires ?? {},
      provides: read<AnyCapability>('provides'),
      kinds: read<ResourceDefinition>('kinds'),
      permissions: read<PermissionRule>('permissions'),
      taps: read<AnyHook>('taps'),
      providesUnknown: !configured && typeof plugin.provides === 'function',
    },
    problems,
  }
}
