import { describe, expect, it } from 'vitest'
import { kubectlMissing, kubectls, runKubectl } from '../support/kubectl.ts'
import { startAccessApi } from './access-api.ts'

const newest = [...kubectls()].at(-1)
const chosen = [...kubectls()].filter(([version]) => version === '1.27' || version === '1.30' || version === newest?.[0])

describe.skipIf(kubectlMissing !== undefined)(`kubectl ${kubectlMissing ?? ''}`.trim(), () => {
  it.each(chosen)('%s: auth whoami, auth can-i and create token', async (version, binary) => {
    // It asks for the beta of SelfSubjectReview, which Kubernetes 1.36 does not serve either.
    const knowsWhoami = version !== '1.27'
    const api = await startAccessApi()
    const admin = await api.kubeconfig()
    await api.tokenOf('robot')
    const run = async (kubeconfig: string, ...args: string[]) => {
      const { code, stdout, stderr } = await runKubectl(kubeconfig, args, { binary })
      return { code, stdout, stderr }
    }
    const whoami = ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']
    expect(await run(admin, ...whoami)).toMatchObject(knowsWhoami ? { code: 0, stdout: 'continuo-admin' } : { code: 1 })
    expect(await run(admin, 'auth', 'can-i', 'delete', 'nodes')).toMatchObject({ code: 0, stdout: 'yes\n' })
    expect(await run(admin, 'auth', 'can-i', 'get', 'pods', '--as', 'eve')).toMatchObject({ code: 1, stdout: 'no\n' })
    expect(await run(admin, 'auth', 'can-i', 'get', '/version', '--as', 'eve')).toMatchObject({ code: 0, stdout: 'yes\n' })
    expect((await run(admin, 'auth', 'can-i', '--list', '--as', 'eve')).stdout).toMatch(
      /selfsubjectaccessreviews.authorization.k8s.io .*\[create\]/,
    )

    const { stdout: token } = await run(admin, 'create', 'token', 'robot', '--duration=10m')
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    const robot = await api.kubeconfig(token)
    if (knowsWhoami) expect(await run(robot, ...whoami)).toMatchObject({ code: 0, stdout: 'system:serviceaccount:default:robot' })
    expect(await run(robot, 'get', 'secrets')).toMatchObject({
      code: 1,
      stderr:
        'Error from server (Forbidden): secrets is forbidden: User "system:serviceaccount:default:robot" cannot list resource "secrets" in API group "" in the namespace "default"\n',
    })
    expect(await run(admin, 'create', 'token', 'robot', '--duration=1m')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('may not specify a duration less than 10 minutes'),
    })
    expect(await run(admin, 'create', 'token', 'nobody')).toMatchObject({
      code: 1,
      stderr: 'error: failed to create token: serviceaccounts "nobody" not found\n',
    })
    const bound = ['create', 'token', 'robot', '--bound-object-kind=Pod', '--bound-object-name=gone']
    expect((await run(admin, ...bound)).stderr).toContain('pods "gone" not found')

    expect((await run(admin, 'create', 'rolebinding', 'v', '--clusterrole=view', '--serviceaccount=default:robot')).code).toBe(0)
    for (let attempt = 0; ; attempt++) {
      const { code, stderr } = await run(robot, 'get', 'configmaps')
      if (code === 0) break
      if (attempt === 20) throw new Error(stderr)
    }
    expect((await run(robot, 'create', 'configmap', 'x')).stderr).toContain('configmaps is forbidden')
    const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]
    const input = JSON.stringify({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'r', namespace: 'default' },
      rules,
    })
    const reconciled = await runKubectl(admin, ['auth', 'reconcile', '-f', '-'], { binary, input })
    expect(reconciled.stdout).toMatch(/^role.rbac.authorization.k8s.io\/r reconciled/)
  })
})
