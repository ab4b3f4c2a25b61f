export { type ScaffoldOptions, type ScaffoldResult, scaffold } from './scaffold.ts'
export { templateNames } from './templates.ts'
