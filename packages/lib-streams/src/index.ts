export * from './log/cri-line.ts'
export * from './log/log-reader.ts'
export * from './log/log-view.ts'
export * from './stream-error.ts'
