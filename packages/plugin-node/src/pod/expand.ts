/**
 * Expands `$(NAME)` with the values of `lookup`; `$$(NAME)` stays as `$(NAME)`, and an unknown name stays as it is.
 * @see https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    whole === '$$' ? '$' : (lookup(name as string) ?? whole),
  )
}
