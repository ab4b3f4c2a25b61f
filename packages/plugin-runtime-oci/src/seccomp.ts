import { readFileSync } from 'node:fs'
import { RuntimeError, type SecuritySpec } from '@continuo/workload'

/** What a container has no business with: the machine's clock, modules, swap and accounting, keys, other processes' memory, new mount calls. */
const refused = (
  'acct add_key bpf clock_adjtime clock_settime create_module delete_module finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy ' +
  'init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind mount mount_setattr move_mount move_pages name_to_handle_at ' +
  'nfsservctl open_by_handle_at open_tree perf_event_open pivot_root process_vm_readv process_vm_writev quotactl reboot request_key set_mempolicy ' +
  'setns settimeofday stime swapoff swapon sysfs _sysctl umount umount2 unshare uselib userfaultfd ustat vm86 vm86old vhangup'
).split(' ')

/** `linux.seccomp` of the bundle; undefined: no filter. A profile of the node is read from its absolute path. */
export function seccompOf({ privileged, seccomp }: Pick<SecuritySpec, 'privileged' | 'seccomp'>): object | undefined {
  if (privileged || seccomp === undefined || seccomp.type === 'Unconfined') return undefined
  if (seccomp.type === 'RuntimeDefault')
    return { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: refused, action: 'SCMP_ACT_ERRNO', errnoRet: 1 }] }
  const path = seccomp.localhostProfile ?? ''
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as object
  } catch (cause) {
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `the seccomp profile ${JSON.stringify(path)} cannot be read`, {
      cause,
      hint: 'localhostProfile is the absolute path of a JSON file on the node',
    })
  }
}
