/** What the node reports as its agent's version: the release of the Kubernetes API that it follows, then our own. */
export const version = 'v1.36.0+continuo'
