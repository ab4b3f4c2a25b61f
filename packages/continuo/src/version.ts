import { readFileSync } from 'node:fs'

/** Version of this distribution, from its package. */
export const version: string = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version

/** Release of the Kubernetes API that it follows. */
export const kubernetesVersion = 'v1.36.0'
