import { driftLook } from '../../activities/looks';
import { DriftReport } from '../../contracts/drift';

const column = (name: string, stability: number) => ({
  ...{ name, kind: 'number', alarms: [], stability, chance: 0.5, wasserstein: null, jensenShannon: null },
  missing: { reference: 0, current: 0, chance: 1 },
  strange: { rows: 0, chance: 1, levels: [] },
  bins: { bins: ['all', 'missing'], reference: [10, 0], current: [10, 0] },
});

test('the columns that drifted most are told one by one, and no more than twenty', () => {
  const names = Array.from({ length: 300 }, (_, at) => `column ${at}`);
  const look = driftLook(
    DriftReport.parse({
      ...{ model: 'm', modelVersion: '1', mlflowRunId: 'r', enough: true, needed: 1, falseAlarms: 0.01 },
      reference: { rows: 10, of: 10, season: null },
      current: { source: 'log', window: null, data: null, rows: 10, of: 10 },
      ...{ leftOut: [], notes: [], prediction: null, joint: null, causes: [] },
      columns: names.map((name, at) => column(name, at / 1000)),
    }),
  );
  expect(look.columns).toEqual(
    Object.fromEntries(names.map((name, at) => [name, at / 1000] as const).slice(-20)),
  );
  // Curves in MLflow are named by us alone.
  expect(Object.keys(look.metrics)).toEqual(['drift_rows', 'drift_worst_stability', 'drift_causes']);
});
