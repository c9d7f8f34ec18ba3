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
    { metric: 'r2', minimum: 0.75, value: 0.8, passed: true },
    { metric: 'mae', minimum: 300, value: 310, passed: false },
    { metric: 'rmse', minimum: 500, value: 400, passed: true },
  ],
  champion: null,
  stageMs: {},
  finishedAt: '2026-01-01T00:00:00.000Z',
};

test('the gate of an error is a largest value, that of a score a least one', () => {
  const lines = resultLines(RESULT, LINKS).map((line) =>
    stripVTControlCharacters(line).replace(/\s+/g, ' ').trim(),
  );
  expect(lines).toEqual(
    expect.arrayContaining(['r2 0.8000 ≥ 0.75', 'mae 310.0000 > 300', 'rmse 400.0000 ≤ 500']),
  );
  const markdown = resultMarkdown(RESULT, LINKS);
  expect(markdown).toContain('| mae | 310.0000 | **failed** (≤ 300) |');
  expect(markdown).toContain('| r2 | 0.8000 | passed (≥ 0.75) |');
});
