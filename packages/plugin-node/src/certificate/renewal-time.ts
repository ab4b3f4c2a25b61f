/** Wall milliseconds at which `part` of a certificate's life is over. Pure. */
export function renewalTime(
  { validFromDate, validToDate }: { readonly validFromDate: Date; readonly validToDate: Date },
  part: number,
): number {
  const from = validFromDate.getTime()
  return from + (validToDate.getTime() - from) * part
}
