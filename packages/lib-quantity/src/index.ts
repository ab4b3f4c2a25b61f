export * from './duration.ts'
export * from './int-or-string.ts'
export * from './quantity.ts'
export * from './quantity-error.ts'
