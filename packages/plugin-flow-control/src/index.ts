export { flowControl, flowControl as default } from './flow-control.ts'
export { suggestedFlowSchemas, suggestedPriorityLevels } from './objects/suggested.ts'
