/** What is printed of repeated measurements. */

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** `12.3–14.5`, with so many digits behind the point. */
export const range = (values: readonly number[], digits = 0): string =>
  `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`

/** A median with its range. */
export const spread = (values: readonly number[], digits = 0): string => `${median(values).toFixed(digits)} (${range(values, digits)})`

/** Ratios of pairs that were measured one after the other, so that other work on the machine meets both. */
export const ratios = (ours: readonly number[], floor: readonly number[]): number[] => ours.map((value, i) => value / (floor[i] as number))

export const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`)

export function header(cells: readonly string[]): void {
  row(cells)
  console.log(`|${cells.map(() => '---').join('|')}|`)
}
