// Four projects. unit: needs nothing but Node. tools: needs the compiled project, or programs that judge us (dvc, an S3 server, …).
// integration: gets a real Temporal and a real MLflow server, started once by the global set-up on free ports and stopped after the
// last suite. soak: the same servers, for what goes by chance and takes long; not part of `make test`.
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { homedir } = require('node:os');
const path = require('node:path');

// The programs that judge us, where scripts/setup-test-tools.sh has put them; a variable that is set wins.
const cache =
  process.env.RETRAIN_TOOLS_DIR ||
  path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'retrain');
const tools = path.join(cache, 'test-tools');
const minio = existsSync(tools) ? readdirSync(tools).find((name) => /^minio-v/.test(name)) : undefined;
// The stack's own MLflow environment: its Python has onnx and onnxruntime.
const pythons = existsSync(cache)
  ? readdirSync(cache)
      .filter((name) => /^mlflow-[\d.]+-\w+$/.test(name))
      .map((name) => path.join(cache, name, 'bin', 'python'))
      .filter((file) => existsSync(file))
  : [];
const judges = {
  RETRAIN_TEST_DVC: path.join(tools, 'dvc', 'bin', 'dvc'),
  RETRAIN_TEST_MODEL_SIGNING: path.join(tools, 'model-signing', 'bin', 'model_signing'),
  RETRAIN_TEST_KUBERNETES_VALIDATE: path.join(tools, 'kubernetes-validate', 'bin', 'kubernetes-validate'),
  RETRAIN_TEST_SKL2ONNX: path.join(tools, 'skl2onnx', 'bin', 'python'),
  RETRAIN_TEST_SCHEMATHESIS: path.join(tools, 'schemathesis', 'bin', 'schemathesis'),
  RETRAIN_TEST_COMPOSE: path.join(tools, 'containers', 'docker-compose'),
  RETRAIN_TEST_KUSTOMIZE: path.join(tools, 'containers', 'kustomize'),
  RETRAIN_TEST_PYTHON: pythons[0] ?? '',
  RETRAIN_TEST_PROMETHEUS: path.join(tools, 'prometheus', 'prometheus'),
  RETRAIN_TEST_PROMTOOL: path.join(tools, 'prometheus', 'promtool'),
  RETRAIN_TEST_MINIO: path.join(tools, minio ?? 'minio', 'minio'),
};
for (const [name, file] of Object.entries(judges)) {
  if (process.env[name] === undefined && existsSync(file)) process.env[name] = file;
}

// A global of a test's own context is looked up by an interceptor at each use: a forest trained three times as slowly here as in
// Node. What is handed to each module as an argument costs nothing. Not among them: what tests replace (Date, timers, fetch), and
// what packages declare as names of their own (Buffer).
const fastGlobals = [
  'Math Number BigInt Object Array Map Set Atomics ArrayBuffer SharedArrayBuffer DataView Float64Array Float32Array',
  'Int8Array Int16Array Int32Array Uint8Array Uint16Array Uint32Array BigInt64Array BigUint64Array',
].flatMap((names) => names.split(' '));

const shared = {
  rootDir: __dirname,
  testEnvironment: 'node',
  sandboxInjectedGlobals: fastGlobals,
  transform: {
    '^.+\\.[tj]s$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
  // Lazy imports name the compiled file, as Node wants it.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // And threads start from it.
    '^node:worker_threads$': '<rootDir>/test/tools/worker-threads.ts',
    // And processes.
    '^node:child_process$': '<rootDir>/test/tools/child-process.ts',
  },
  // Packages that are ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!hyparquet)'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.retrain/'],
};

// What a suite imports says where it belongs: one that has judges, or runs the compiled command, is no unit test.
const NEEDS =
  /from '[./]*(tools\/needs|real-dvc|dvc\/real-dvc|minio|docker-compose|judges|workbench)'|'dist'/;
const files = readdirSync(path.join(__dirname, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => path.join(__dirname, 'test', file));
const imports = (file, what) => what.test(readFileSync(file, 'utf8'));
const tests = files.filter(
  (file) => !/[\\/]test[\\/](integration|soak)[\\/]/.test(file.slice(__dirname.length)),
);
const judged = tests.filter((file) => imports(file, NEEDS));

// Suites with tests for the night (test/tools/nightly.ts) run whole in the soak.
const nightly = files.filter((file) => imports(file, /from '[./]*tools\/nightly'/));

module.exports = {
  // Most suites wait for servers most of the time: more at once than Jest would run on two cores.
  testSequencer: '<rootDir>/test/slow-first.cjs',
  maxWorkers: 2,
  testTimeout: 30_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: tests.filter((file) => !judged.includes(file)),
    },
    {
      ...shared,
      displayName: 'tools',
      testMatch: judged,
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.test.ts'],
      globalSetup: '<rootDir>/test/integration/stack/global-setup.ts',
      globalTeardown: '<rootDir>/test/integration/stack/global-teardown.ts',
    },
    {
      ...shared,
      displayName: 'soak',
      testMatch: ['<rootDir>/test/soak/**/*.test.ts', ...nightly],
      globals: { retrainNightly: true },
      globalSetup: '<rootDir>/test/integration/stack/global-setup.ts',
      globalTeardown: '<rootDir>/test/integration/stack/global-teardown.ts',
    },
  ],
};
