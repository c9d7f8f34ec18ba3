import { stripVTControlCharacters } from 'node:util';
import { resultLines, resultMarkdown } from '../../../client/terminal/result-lines';
import { type TrainingResult } from '../../../contracts/run';

const HASH = 'a'.repeat(64);
const LINKS = { temporal: null, mlflow: 'http://m', model: 'http://v' };

const RESULT: TrainingResult = {
  ...{
    outcome: 'gate_failed',
    model: 'penguin-mass',
    modelVersion: '2',
    alias: null,
    reason: 'mae is above',
  },
  ...{ pipelineKey: HASH, dataHash: HASH, paramsHash: HASH, codeHash: HASH, gitCommit: '' },
  ...{ workflowId: 'w', workflowRunId: 'r', mlflowRunId: 'm', mlflowExperimentId: '1' },
  metrics: { r2: 0.8, mae: 310, rmse: 400 },
  gate: [
    { metric: 'r2', least: 0.75, value: 0.8, passed: true },
    { metric: 'mae', most: 300, value: 310, passed: false },
    { metric: 'rmse', most: 500, value: 400, passed: true },
  ],
  champion: null,
  stageMs: {},
  finishedAt: '2026-01-01T00:00:00.000Z',
};

test('the gate of an error is a largest value, that of a score a least one', () => {
  const lines = resultLines(RESULT, LINKS, null).map((line) =>
    stripVTControlCharacters(line).replace(/\s+/g, ' ').trim(),
  );
  expect(lines).toEqual(
    expect.arrayContaining(['r2 0.8000 ≥ 0.75', 'mae 310.0000 ≤ 300 failed', 'rmse 400.0000 ≤ 500']),
  );
  const markdown = resultMarkdown(RESULT, LINKS);
  expect(markdown).toContain('| mae | 310.0000 | ≤ 300 **failed** |');
  expect(markdown).toContain('| r2 | 0.8000 | ≥ 0.75 passed |');
});

test('averages and single classes are left to the report, unless the gate names them', () => {
  const metrics = { accuracy: 0.9, recall_macro: 0.8, 'recall.fraud': 0.7, 'recall.fair': 0.9 };
  const gate = [{ metric: 'recall.fraud', least: 0.8, value: 0.7, passed: false }];
  const lines = resultLines({ ...RESULT, metrics, gate }, LINKS, null).map((line) =>
    stripVTControlCharacters(line).replace(/\s+/g, ' ').trim(),
  );
  expect(lines).toEqual(expect.arrayContaining(['accuracy 0.9000', 'recall.fraud 0.7000 ≥ 0.8 failed']));
  expect(lines.join('\n')).not.toMatch(/macro|recall\.fair/);
});
