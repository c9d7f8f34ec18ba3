import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  readStackFile,
  removeStackFile,
  writeStackFile,
  type StackFile,
} from '../../../client/stack/stack-file';

const stack: StackFile = {
  temporal: { address: '127.0.0.1:7233', uiUrl: null, namespace: 'default', startedByUs: false },
  mlflow: { uri: 'http://127.0.0.1:5000', startedByUs: true },
  taskQueue: 'retrain',
  api: { uri: 'http://127.0.0.1:8000' },
  worker: { pid: 4711 },
};

describe('the stack file', () => {
  const project = mkdtempSync(join(tmpdir(), 'retrain-project-'));

  it('is null in a project whose stack is not up', () => {
    expect(readStackFile(project)).toBeNull();
    removeStackFile(project);
  });

  it('gives back what was written, until it is removed', () => {
    writeStackFile(project, stack);
    expect(readStackFile(project)).toEqual(stack);
    removeStackFile(project);
    expect(readStackFile(project)).toBeNull();
  });

  it.each(['{', '{"temporal": {}}', ''])('names the file and the way out when it holds %j', (text) => {
    writeStackFile(project, stack);
    writeFileSync(join(project, 'stack.json'), text);
    expect(() => readStackFile(project)).toThrow(/stack\.json is damaged .*remove it/);
  });
});
