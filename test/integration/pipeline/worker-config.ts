import path from 'node:path';
import { loadWorkerConfig, type WorkerConfig } from '../../../worker/config';
import { ROOT, type TestProject } from './test-project';

/** What a worker of this project would load, with the compiled product's files: for a worker in the test's own process. */
export function workerConfigOf(project: TestProject): WorkerConfig {
  const before = { ...process.env };
  Object.assign(process.env, project.env);
  try {
    return {
      ...loadWorkerConfig(project.dir),
      workflowBundle: path.join(ROOT, 'dist', 'workflow-bundle.js'),
      stageCodeFile: path.join(ROOT, 'dist', 'stage-code.json'),
      threadEntry: path.join(ROOT, 'dist', 'stages', 'thread-entry.js'),
    };
  } finally {
    process.env = before;
  }
}
