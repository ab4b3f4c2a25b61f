/** Layers of the workspace; see docs/architecture.md. Each rule names what it forbids. */
const pkg = (name) => `^packages/${name}/src`
module.exports = {
  forbidden: [
    { name: 'core-knows-nobody', severity: 'error', from: { path: pkg('core') }, to: { path: '^packages/(?!core/)' } },
    {
      name: 'libraries-know-only-core',
      severity: 'error',
      // The shim's users are runtimes: it speaks the contract's streams and errors.
      from: { path: '^packages/(lib-[^/]+)/src', pathNot: '^packages/lib-container-shim/' },
      // Quantities and durations are words of the language that lib-cel speaks, and that language is what conditions of admission are written in.
      to: { path: '^packages/', pathNot: ['^packages/(core|lib-quantity|lib-cel)/', '^packages/$1/'] },
    },
    {
      name: 'workload-knows-core-and-libraries',
      severity: 'error',
      from: { path: pkg('workload') },
      to: { path: '^packages/', pathNot: '^packages/(core|workload|lib-[^/]+)/' },
    },
    {
      name: 'a-plugin-imports-no-plugin',
      severity: 'error',
      from: { path: '^packages/(plugin-[^/]+)/src' },
      to: { path: '^packages/plugin-', pathNot: '^packages/$1/' },
    },
    {
      name: 'plugins-do-not-import-the-distribution',
      severity: 'error',
      from: { path: '^packages/plugin-' },
      to: { path: '^packages/(continuo|create-continuo)/' },
    },
    { name: 'testkit-imports-no-plugin', severity: 'error', from: { path: pkg('testkit') }, to: { path: '^packages/(plugin-|continuo)' } },
    {
      name: 'sources-do-not-import-the-testkit',
      severity: 'error',
      from: { path: '^packages/(?!testkit|continuo)[^/]+/src' },
      to: { path: '^packages/testkit/' },
    },
    {
      name: 'packages-meet-at-their-entry',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: {
        path: '^packages/[^/]+/src/',
        pathNot: ['^packages/$1/', '^packages/[^/]+/src/index.ts$', '^packages/continuo/src/testing/index.ts$'],
      },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^packages/[^/]+/src' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-undeclared-dependency',
      severity: 'error',
      from: { path: '^packages/[^/]+/src' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'sources-need-no-dev-dependency',
      severity: 'error',
      from: { path: '^packages/[^/]+/src', pathNot: 'generated' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'], pathNot: ['^packages/', 'node_modules/@types/'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'dist'] },
    exclude: { path: ['/dist/', '/generated/', '/test/'] },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['@continuo/source', 'import', 'node', 'default', 'types'], exportsFields: ['exports'] },
  },
}
