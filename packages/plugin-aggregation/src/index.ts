export { aggregation, aggregation as default } from './aggregation.ts'
export { extensionAuthentication } from './extension-authentication.ts'
