/** How one process of several is chosen. All of them must use the same names and durations. */
export interface ElectionOptions {
  /** Namespace of the lease. Default `kube-system`. */
  readonly namespace?: string
  /** Name of the lease; the epoch is a second lease named `<name>-epoch`. Default `continuo-controllers`. */
  readonly name?: string
  /**
   * Who this process is. Default: the host's name and a random part. A process that is alone with its data may name itself after
   * machine and data directory: it then takes over from its crashed predecessor without waiting.
   */
  readonly identity?: string
  /** How long the others wait for a silent leader. Default 15 s. */
  readonly leaseMs?: number
  /** How long a leader that cannot renew goes on. Must be shorter than the lease. Default 10 s. */
  readonly renewDeadlineMs?: number
  /** Time between attempts. Default 2 s. */
  readonly retryMs?: number
}
