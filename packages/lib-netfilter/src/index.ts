export { FlowKeeper, type FlowTargets } from './flow-keeper.ts'
export { type Flow, type FlowTarget, parseFlows, staleFlows } from './flows.ts'
export { type ForgetFlowsOptions, forgetFlows } from './forget-flows.ts'
export { runTool, type ToolOptions, type ToolRun } from './run-tool.ts'
