/** Characters that separate parts of an overlay's options. */
const escaped = (path: string): string => path.replace(/[\\:,]/g, (character) => `\\${character}`)

/** Joins the control groups whose files stand before `--`, and becomes what stands behind it. */
const join = 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift; '

/**
 * crun takes a second hierarchy beside version 1 for a fault when that one has controllers. It has no business with control groups here, so it
 * does not see it.
 */
const hide = 'if [ -d /sys/fs/cgroup/unified ]; then umount -l /sys/fs/cgroup/unified; fi 2>/dev/null; '

const apart = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c']

/**
 * The command of the shim: in a mount namespace of its own, so that the root file system goes with the container and no mount is left
 * on the node, whoever is killed when. `directory` holds `upper`, `work` and `merged`. Pure.
 */
export function launchCommand(facts: {
  readonly directory: string
  readonly image: string
  readonly groups: readonly string[]
  readonly runtime: readonly string[]
  readonly id: string
}): readonly string[] {
  const { directory, image, groups, runtime, id } = facts
  const script = `${hide}cd "$1" && shift && mount -t overlay overlay -o "$1" merged && shift && ${join}exec "$@"`
  const options = `lowerdir=${escaped(image)},upperdir=upper,workdir=work`
  return [...apart, script, 'sh', directory, options, ...groups, '--', ...runtime, 'run', '--bundle', directory, id]
}

/** The command of a process beside the container's own, in its control groups; `process` is the path of its description. Pure. */
export function execCommand(facts: {
  readonly groups: readonly string[]
  readonly runtime: readonly string[]
  readonly id: string
  readonly process: string
}): readonly string[] {
  const { groups, runtime, id, process } = facts
  return [...apart, `${hide}${join}exec "$@"`, 'sh', ...groups, '--', ...runtime, 'exec', '--process', process, id]
}

/** What is run beside a container, as `crun exec --process` reads it: as whom and with what the container's own process runs. Pure. */
export function execProcess(
  bundle: { readonly process: { readonly env: readonly string[] } },
  facts: { readonly command: readonly string[]; readonly tty: boolean; readonly mark: string },
): object {
  const { command, tty, mark } = facts
  const env = [...bundle.process.env.filter((line) => !(tty && line.startsWith('TERM='))), ...(tty ? ['TERM=xterm'] : []), mark]
  return { ...bundle.process, terminal: tty, args: command, env }
}
