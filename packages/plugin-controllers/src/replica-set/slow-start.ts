/**
 * Runs `count` tasks in batches of 1, 2, 4 and so on, a batch only after the one before it went well: when creation is
 * refused, few requests find out. Returns how many succeeded; the first error is thrown after its batch has ended.
 */
export async function slowStart(
  count: number,
  task: (index: number) => Promise<void>,
): Promise<{ readonly succeeded: number; readonly error?: unknown }> {
  let succeeded = 0
  for (let begun = 0, size = 1; begun < count; size *= 2) {
    const batch = Math.min(size, count - begun)
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, index) => task(begun + index)))
    begun += batch
    succeeded += results.filter((result) => result.status === 'fulfilled').length
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) return { succeeded, error: failed.reason }
  }
  return { succeeded }
}
