/** The bounds of the resource group (`pkg/apis/resource/types.go`): of each list by its items, of text by its bytes. */
export const limits = {
  requests: 32,
  alternatives: 8,
  constraints: 32,
  configurations: 32,
  selectors: 32,
  consumers: 256,
  results: 32,
  expressionBytes: 10 * 1024,
  /** In units of CEL: the most that evaluating an expression for one device may take. */
  expressionCost: 1_000_000,
  parameterBytes: 10 * 1024,
  devices: 128,
  /** Of a slice whose devices have taints, or take from counters. */
  advancedDevices: 64,
  counterSets: 8,
  attributes: 32,
  taints: 16,
  conditions: 4,
  valueBytes: 64,
  domainLength: 63,
  identifierLength: 32,
  poolNameBytes: 253,
} as const
