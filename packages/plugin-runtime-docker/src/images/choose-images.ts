/** What matters of an image when room is needed. */
export interface StoredImage {
  readonly id: string
  readonly bytes: number
  /** It came from a registry and can be had again; what was built or imported here cannot. */
  readonly pulled: boolean
}

export interface Need {
  readonly bytesToFree: number
  /** Images of containers, of anybody's, running or not. */
  readonly inUse: ReadonlySet<string>
  /** When each image was last seen in use, or first seen at all; wall milliseconds. */
  readonly lastUsed: ReadonlyMap<string, number>
  readonly now: number
  readonly minAgeMs: number
}

/** The images to remove, the longest unused first, until enough would be free. Pure. */
export function chooseImages(images: readonly StoredImage[], { bytesToFree, inUse, lastUsed, now, minAgeMs }: Need): readonly string[] {
  const usedAt = ({ id }: StoredImage): number => lastUsed.get(id) ?? now
  const candidates = images
    .filter((image) => image.pulled && !inUse.has(image.id) && now - usedAt(image) >= minAgeMs)
    .sort((a, b) => usedAt(a) - usedAt(b))
  let left = bytesToFree
  return candidates.flatMap(({ id, bytes }) => {
    if (left <= 0) return []
    left -= bytes
    return [id]
  })
}
