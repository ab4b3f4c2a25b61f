export { nodeAgent as default, nodeAgent } from './agent.ts'
export { type AgentConfig, agentConfig } from './agent-config.ts'
export { LocalConnections, nodeConnections } from './connections.ts'
export { serviceRouting } from './routing/service-routing.ts'
