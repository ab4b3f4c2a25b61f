import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Problem } from '../host/problem.ts'

/** A value that stands outside of the config file. A leaf for merging; never printed. */
export class SecretRef {
  readonly kind: 'env' | 'file'
  readonly name: string
  /** Directory of the file that names it. */
  readonly base: string

  constructor(kind: 'env' | 'file', name: string, base: string) {
    this.kind = kind
    this.name = name
    this.base = base
  }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** Finds `{fromEnv: NAME}` and `{fromFile: PATH}` in a slot's configuration. */
export function markSecrets(value: unknown, base: string, path: string, problems: Problem[]): unknown {
  if (Array.isArray(value)) return value.map((item, at) => markSecrets(item, base, `${path}[${at}]`, problems))
  if (!isMap(value)) return value
  const keys = Object.keys(value)
  const kind = keys.includes('fromEnv') ? 'fromEnv' : keys.includes('fromFile') ? 'fromFile' : undefined
  if (kind === undefined) return Object.fromEntries(keys.map((key) => [key, markSecrets(value[key], base, `${path}.${key}`, problems)]))
  const name = value[kind]
  if (keys.length > 1 || typeof name !== 'string' || name === '') {
    problems.push({ code: 'CONFIG_SECRET', path, message: `${kind} takes one non-empty text and stands alone` })
    return undefined
  }
  return new SecretRef(kind === 'fromEnv' ? 'env' : 'file', name, base)
}

/** Where secrets come from. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile?: (path: string) => Promise<string>
}

const readText = (path: string): Promise<string> => readFile(path, 'utf8')

async function reveal(secret: SecretRef, sources: SecretSources, path: string, problems: Problem[]): Promise<string | undefined> {
  if (secret.kind === 'env') {
    const value = sources.env[secret.name]
    if (value === undefined) problems.push({ code: 'CONFIG_SECRET', path, message: `environment variable ${secret.name} is not set` })
    return value
  }
  const file = resolve(secret.base, secret.name)
  try {
    // A trailing line feed belongs to the file, not to the secret.
    return (await (sources.readFile ?? readText)(file)).replace(/\r?\n$/, '')
  } catch (error) {
    problems.push({
      code: 'CONFIG_SECRET',
      path,
      message: `file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    })
    return undefined
  }
}

/** Replaces every secret by its value; each that is missing is a problem with its path. */
export async function revealSecrets(value: unknown, sources: SecretSources, path: string, problems: Problem[]): Promise<unknown> {
  if (value instanceof SecretRef) return reveal(value, sources, path, problems)
  if (Array.isArray(value)) return Promise.all(value.map((item, at) => revealSecrets(item, sources, `${path}[${at}]`, problems)))
  if (!isMap(value)) return value
  const entries = Object.keys(value).map(
    async (key) => [key, await revealSecrets(value[key], sources, `${path}.${key}`, problems)] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}
