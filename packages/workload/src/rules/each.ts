/** Visits the items of a list that may be absent, each with its own path: `spec.containers[0]`. */
export function each<T>(list: readonly T[] | undefined, path: string, visit: (item: T, path: string) => void): void {
  list?.forEach((item, index) => {
    visit(item, `${path}[${index}]`)
  })
}
