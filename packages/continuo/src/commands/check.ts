import { CheckError } from '@continuo/core'
import { checkConfig, configFile, loadConfig } from '../cluster/load.ts'

/** `continuo check`: every fault at once, or one line that says that there is none. */
export async function check(flags: { readonly config?: string }): Promise<void> {
  const file = configFile(flags.config)
  const problems = await checkConfig(flags.config)
  if (problems.length > 0) throw new CheckError(file, problems)
  const config = await loadConfig(flags.config)
  process.stdout.write(`${file}: ${config.slots.length} plugins in ${config.roles.join(' and ')}, no fault\n`)
}
