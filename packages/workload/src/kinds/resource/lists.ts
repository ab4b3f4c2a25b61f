import { type FieldError, fieldError } from '@continuo/core'

/** A list of at most `max` items, each checked by itself. */
export function checkItems<T>(
  list: readonly T[] | undefined,
  max: number,
  path: string,
  errors: FieldError[],
  check: (item: T, path: string) => void,
): void {
  if ((list?.length ?? 0) > max) errors.push(fieldError.tooMany(path, list?.length ?? 0, max))
  list?.forEach((item, index) => {
    check(item, `${path}[${index}]`)
  })
}

/** The same for a list in which no key comes twice. */
export function checkSet<T>(
  list: readonly T[] | undefined,
  max: number,
  path: string,
  errors: FieldError[],
  keyOf: (item: T) => string,
  check: (item: T, path: string) => void,
): void {
  const seen = new Set<string>()
  checkItems(list, max, path, errors, (item, at) => {
    const key = keyOf(item)
    if (seen.has(key)) errors.push(fieldError.duplicate(at, key))
    seen.add(key)
    check(item, at)
  })
}
