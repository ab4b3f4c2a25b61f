import { kubernetesVersion, version } from '../version.ts'

export async function showVersion(flags: { readonly json?: boolean }): Promise<void> {
  const versions = { continuo: version, kubernetes: kubernetesVersion, node: process.version }
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify(versions)}\n`
      : Object.entries(versions)
          .map(([name, value]) => `${name} ${value}\n`)
          .join(''),
  )
}
