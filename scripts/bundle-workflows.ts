/** Writes dist/workflow-bundle.js, so that a worker starts without running a bundler. */
import { bundleWorkflowCode } from '@temporalio/worker';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

async function main(): Promise<void> {
  const quiet = { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} };
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.resolve(__dirname, '..', 'workflows', 'index.js'),
    workflowInterceptorModules: ['words-only.js', 'observe.js'].map((name) =>
      path.resolve(__dirname, '..', 'workflows', name),
    ),
    logger: quiet,
  });
  await writeFile(path.resolve(__dirname, '..', 'workflow-bundle.js'), code);
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
