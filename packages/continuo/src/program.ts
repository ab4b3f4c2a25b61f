import { isContinuoError } from '@continuo/core'
import { Argument, Command, Option } from 'commander'
import { keepAlive } from './keep-alive.ts'
import { version } from './version.ts'

const configOption = (): Option =>
  new Option('-c, --config <file>', 'config file (continuo.yaml or continuo.config.ts); default: the reference cluster')
const dataDirOption = (): Option =>
  new Option('-d, --data-dir <dir>', 'where everything is kept that survives a restart').default('.continuo')
const kubeconfigOption = (): Option => new Option('--kubeconfig <file>', 'kubeconfig of the cluster; default: <data-dir>/kubeconfig')

/** The command line. Commands are loaded when they run, so that `--help` stays quick. */
export function createProgram(): Command {
  const program = new Command('continuo')
    .description('A Kubernetes-style container orchestrator composed of plugins')
    .version(version, '-v, --version')
    .showHelpAfterError()

  const runOptions = (command: Command): Command =>
    command
      .addOption(configOption())
      .addOption(dataDirOption())
      .option('-l, --listen <host:port>', 'where the API listens')
      .addOption(kubeconfigOption())
      .addOption(
        new Option('--log-level <level>', 'least severe lines that are logged')
          .choices(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
          .default('info'),
      )

  runOptions(program.command('up').description('start a cluster in the foreground'))
    .addOption(new Option('--role <role>', 'run this role of the config alone').choices(['control-plane', 'node']))
    .action(guarded(async (flags) => (await import('./commands/up.ts')).up(flags)))
  runOptions(program.command('join').argument('[url]', 'address of the API, such as https://10.0.0.1:6443; not needed again'))
    .description('make this machine a node of a cluster elsewhere, and run it in the foreground')
    .option('--token <token>', 'from continuo token create')
    .option('--ca-hash <sha256:hex>', "hash of the public key of the cluster's authority")
    .option('--node-name <name>', "name of the node; default: the host's name")
    .option('--control-plane', 'join as one more control plane on the same store')
    .option('--certificate-key <key>', 'opens the keys of the control plane')
    .option('--no-start', 'write everything, and start nothing')
    .action(guarded(async (url, flags) => (await import('./commands/join.ts')).join(url, flags)))
  const token = program.command('token').description('let other machines join this cluster')
  token
    .command('create')
    .description('make a token and print the command that joins another machine')
    .option('--ttl <time>', 'how long it is good for, as 30m or 24h; 0: for ever', '24h')
    .option('--description <text>', 'what it is for', '')
    .option('--control-plane', 'for another control plane: publishes its keys, encrypted')
    .option('--server <url>', 'address of the API for other machines; default: that of the kubeconfig')
    .addOption(dataDirOption())
    .addOption(kubeconfigOption())
    .action(guarded(async (flags) => (await import('./commands/token.ts')).createToken(flags)))
  token
    .command('list')
    .description('show the tokens, without their secrets')
    .addOption(dataDirOption())
    .addOption(kubeconfigOption())
    .action(guarded(async (flags) => (await import('./commands/token.ts')).listTokens(flags)))
  token
    .command('delete')
    .argument('<id>', 'the token, or its first half')
    .description('make a token worthless')
    .addOption(dataDirOption())
    .addOption(kubeconfigOption())
    .action(guarded(async (id, flags) => (await import('./commands/token.ts')).deleteToken(id, flags)))
  runOptions(
    program
      .command('start')
      .argument('<path>', 'manifest, or directory of manifests')
      .description('start a cluster, apply manifests, and show where they serve'),
  ).action(guarded(async (path, flags) => (await import('./commands/start.ts')).start(path, flags)))
  program
    .command('check')
    .description('find every fault of a config file without side effects')
    .addOption(configOption())
    .addOption(dataDirOption())
    .action(guarded(async (flags) => (await import('./commands/check.ts')).check(flags)))
  program
    .command('plan')
    .description('show the graph of plugins, capabilities and hooks')
    .addOption(configOption())
    .addOption(dataDirOption())
    .addOption(new Option('-o, --output <format>').choices(['text', 'mermaid', 'json']).default('text'))
    .action(guarded(async (flags) => (await import('./commands/plan.ts')).plan(flags)))
  program
    .command('why')
    .argument('<kind/name>', 'such as pod/web-7d9f or deployment/web')
    .description('explain the state of an object')
    .option('-n, --namespace <name>', 'namespace of the object', 'default')
    .addOption(dataDirOption())
    .addOption(kubeconfigOption())
    .action(guarded(async (target, flags) => (await import('./commands/why.ts')).why(target, flags)))
  program
    .command('snapshot')
    .addArgument(new Argument('<action>').choices(['save', 'restore']))
    .argument('<file>', 'where the snapshot is, or shall be')
    .description('save the objects of a cluster to a file, or fill a store from one')
    .addOption(configOption())
    .addOption(dataDirOption())
    .option('--replace', 'restore: give up what the store holds')
    .action(guarded(async (action, file, flags) => (await import('./commands/snapshot.ts')).snapshot(action, file, flags)))
  program
    .command('version')
    .description('show versions')
    .option('--json', 'as JSON')
    .action(guarded(async (flags) => (await import('./commands/version.ts')).showVersion(flags)))
  return program
}

/** Prints an error the way a person reads it: what failed, then what to do; the stack only for faults of our own. */
// biome-ignore lint/suspicious/noExplicitAny: commander passes arguments by position
function guarded(action: (...args: any[]) => Promise<void>): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const release = keepAlive()
    try {
      await action(...args)
    } catch (error) {
      process.exitCode = 1
      process.stderr.write(`${describeError(error)}\n`)
    } finally {
      release()
    }
  }
}

export function describeError(error: unknown): string {
  if (error instanceof AggregateError) return [error.message, ...error.errors.map(describeError)].join('\n')
  if (!isContinuoError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const cause = error.cause instanceof Error && !error.message.includes(error.cause.message) ? `\n  because: ${error.cause.message}` : ''
  return `error: ${error.message}${cause}${error.hint === undefined ? '' : `\n  ${error.hint}`}`
}
