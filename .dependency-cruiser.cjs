/**
 * Who may import whom: contracts <- ml <- integrations <- pipeline <- serving <- activities <- worker; ml <- stages;
 * client uses contracts, ml, integrations, pipeline, temporal and serving; workflows stand alone. Siblings in
 * integrations/ do not know each other: what several need is in integrations/files/.
 */
const only = (from, allowed) => ({
  name: `${from}-imports`,
  comment: `${from}/ may import only: ${['itself', ...allowed].join(', ')}`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: {
    path: '^(contracts|ml|stages|integrations|pipeline|activities|workflows|worker|client|serving|temporal|bench|scripts|test)/',
    pathNot: `^(${[from, ...allowed].join('|')})(/|\\.ts$)`,
  },
});

module.exports = {
  forbidden: [
    only('contracts', []),
    only('ml', ['contracts']),
    only('stages', ['contracts', 'ml']),
    only('integrations', ['contracts', 'ml']),
    only('pipeline', ['contracts', 'ml', 'integrations']),
    only('temporal', ['contracts', 'ml', 'integrations']),
    only('activities', ['contracts', 'ml', 'integrations', 'pipeline', 'serving', 'temporal']),
    only('workflows', ['contracts']),
    only('client', ['contracts', 'ml', 'integrations', 'pipeline', 'serving', 'temporal']),
    only('serving', ['contracts', 'ml', 'integrations', 'pipeline']),
    only('worker', [
      ...['contracts', 'ml', 'stages', 'integrations', 'pipeline', 'serving', 'activities', 'workflows'],
      'temporal',
      // Which servers `retrain up` left.
      'client/stack/stack-file',
    ]),
    {
      name: 'integrations-are-independent',
      comment: 'A sibling in integrations/ knows no other; what several need is in integrations/files/.',
      severity: 'error',
      from: { path: '^integrations/([^/]+)/' },
      to: { path: '^integrations/', pathNot: '^integrations/($1|files)/' },
    },
    {
      name: 'workflows-are-deterministic',
      comment:
        'Workflow code takes @temporalio/workflow, types, and constants from contracts/names and contracts/progress.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        pathNot: ['^workflows/', '^contracts/', 'node_modules/@temporalio/(workflow|common)/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'workflows-take-no-schemas',
      comment: 'zod stays out of the workflow bundle: types only, except the constants.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        path: '^contracts/',
        pathNot: '^contracts/(names|progress|lineage|duration|plain-words|collect-faults)\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'pure-parts-stay-pure',
      comment: 'contracts/ and ml/ do no I/O beyond reading the file they are given.',
      severity: 'error',
      from: { path: '^(contracts|ml)/' },
      to: { path: '^(node:)?(http|https|net|tls|dgram|child_process|cluster)$' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-packages-in-the-product',
      severity: 'error',
      from: {
        path: '^(contracts|ml|stages|integrations|pipeline|activities|workflows|worker|client|serving|temporal)/',
      },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules|\\.retrain|coverage)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default'],
    },
  },
};
