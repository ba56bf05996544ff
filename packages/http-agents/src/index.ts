export { describeFailure } from './describe-failure.ts'
export { HttpAgents, type HttpAgentsOptions, type HttpProxy, type ServerAccess } from './http-agents.ts'
