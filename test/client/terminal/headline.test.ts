import { stripVTControlCharacters } from 'node:util';
import { headline } from '../../../client/terminal/headline';
import { type Standing } from '../../../integrations/mlflow/version-standing';
import { trainingResult } from '../../integrations/mlflow/training-result';

const result = (outcome: 'promoted' | 'staged' | 'gate_failed'): ReturnType<typeof trainingResult> =>
  trainingResult({
    outcome,
    model: 'iris',
    modelVersion: '2',
    alias: { promoted: 'production', staged: 'staging', gate_failed: null }[outcome],
    champion: outcome === 'promoted' ? null : { version: '1', metrics: null },
  });

const now = (changes: Partial<Standing>): Standing => ({
  exists: true,
  production: null,
  aliases: [],
  ...changes,
});

test.each<['promoted' | 'staged' | 'gate_failed', Standing | null, string]>([
  ['promoted', null, 'iris v2 is in production'],
  ['promoted', now({ production: '2', aliases: ['production'] }), 'iris v2 is in production'],
  [
    'promoted',
    now({ production: '3', aliases: ['previous-production'] }),
    'iris v2 was promoted; v3 is in production now',
  ],
  ['promoted', now({}), 'iris v2 was promoted; nothing is in production now'],
  [
    'promoted',
    now({ exists: false }),
    'iris v2 was promoted and has been deleted in MLflow since; nothing is in production. A new one: retrain start --force',
  ],
  ['staged', null, 'iris v2 is in staging; v1 is in production'],
  ['staged', now({ production: '1', aliases: ['staging'] }), 'iris v2 is in staging; v1 is in production'],
  ['staged', now({ production: '2', aliases: ['production'] }), 'iris v2 is in production'],
  ['staged', now({ production: '1' }), 'iris v2 was staged; v1 is in production now'],
  ['gate_failed', now({ production: '1' }), 'iris v2 did not pass the quality gate; v1 is in production'],
  [
    'gate_failed',
    now({ production: '2', aliases: ['production'] }),
    'iris v2 did not pass the quality gate; it is in production all the same',
  ],
])('a version that was %s, and stands as %j', (outcome, standing, line) => {
  expect(stripVTControlCharacters(headline(result(outcome), standing))).toBe(line);
});
