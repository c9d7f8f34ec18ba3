import { STAGES } from '../../contracts/names';
import { Params } from '../../contracts/params';
import { ARTIFACT } from '../../contracts/stage';
import { computeStage } from '../../pipeline/compute-stage';
import { COMPUTE_STAGES, inputsOf, stageRow } from '../../pipeline/stage';
import { workspaceStages } from '../../pipeline/workspace/workspace-stages';
import { STAGE_NAMES } from '../../stages/catalog';
import { NOTE, SUMMARY } from '../../workflows/stage-notes';

const params = Params.parse({
  experiment: 'e',
  model: 'm',
  data: { path: 'data/d.csv', target: 'y' },
});
const code = {
  combined: 'c',
  stages: Object.fromEntries(COMPUTE_STAGES.map((stage) => [stage, `code of ${stage}`])) as Record<
    (typeof COMPUTE_STAGES)[number],
    string
  >,
};

test('what a stage takes, one before it makes', () => {
  const made = new Set<string>([ARTIFACT.data]);
  for (const stage of COMPUTE_STAGES) {
    const { takes, makes, mayLeave } = stageRow(stage);
    expect(takes.filter((name) => !made.has(name))).toEqual([]);
    for (const name of [...makes, ...mayLeave]) made.add(name);
  }
});

test('no two stages make the same', () => {
  const all = COMPUTE_STAGES.flatMap((stage) => [...stageRow(stage).makes, ...stageRow(stage).mayLeave]);
  expect(all).toHaveLength(new Set(all).size);
});

test('what is given only when it is there is made by no stage: it comes from the registry', () => {
  const made = COMPUTE_STAGES.flatMap((stage) => [...stageRow(stage).makes, ...stageRow(stage).mayLeave]);
  for (const stage of COMPUTE_STAGES) {
    expect(stageRow(stage).mayTake.filter((name) => made.includes(name))).toEqual([]);
  }
});

test('what a stage is given besides, one before it makes or may leave', () => {
  const made = new Set<string>();
  for (const stage of COMPUTE_STAGES) {
    const { besides, makes, mayLeave } = stageRow(stage);
    expect(besides.filter((name) => !made.has(name))).toEqual([]);
    for (const name of [...makes, ...mayLeave]) made.add(name);
  }
});

test('a stage depends on its own key of params.yaml, and on keys that there are', () => {
  for (const stage of COMPUTE_STAGES) {
    expect(stageRow(stage).params).toContain(stage);
    expect(stageRow(stage).params.filter((key) => !(key in Params.shape))).toEqual([]);
  }
});

test('the table, the code that runs, the words for people and the run’s order know the same stages', () => {
  expect(STAGE_NAMES).toEqual([...COMPUTE_STAGES, 'unseen']);
  expect(STAGES.slice(0, COMPUTE_STAGES.length)).toEqual(COMPUTE_STAGES);
  expect(Object.keys(NOTE)).toEqual(STAGES);
  expect(Object.keys(SUMMARY)).toEqual(STAGES);
});

test('the workspace shows each input of a stage where the stage before it leaves it', () => {
  const places = new Map<string, string>([[ARTIFACT.data, 'data/d.csv']]);
  for (const { stage, inputs, outputs } of workspaceStages('params.yaml', params)) {
    const { takes, makes, mayLeave, leavesWhen, shownIn } = stageRow(stage);
    const unasked = leavesWhen.map(({ name }) => name);
    const left = [...makes, ...mayLeave].filter((name) => !unasked.includes(name));
    expect(inputs).toEqual(Object.fromEntries(takes.map((name) => [name, places.get(name)])));
    expect(Object.keys(outputs)).toEqual(shownIn === null ? [] : left);
    for (const [name, place] of Object.entries(outputs)) places.set(name, place);
  }
});

test('what a stage leaves only when params ask for it is an output for DVC only then: dvc fails for one that is not there', () => {
  const outputsOf = (asked: typeof params): string[] =>
    workspaceStages('params.yaml', asked).flatMap(({ outputs }) => Object.keys(outputs));
  const asking = { ...params, train: { ...params.train, keep_features: true } };
  expect(outputsOf(params)).not.toContain(ARTIFACT.features);
  expect(outputsOf(asking)).toContain(ARTIFACT.features);
  for (const stage of COMPUTE_STAGES) {
    const { mayLeave, leavesWhen } = stageRow(stage);
    expect(leavesWhen.filter(({ name }) => !mayLeave.includes(name))).toEqual([]);
  }
});

test('what a stage needs for what the params ask, one before it may leave; it is given only when they ask', () => {
  const made = new Set<string>();
  const asking = { ...params, train: { ...params.train, backtest: { cutoffs: 2, window: 7 } } };
  const known = Object.fromEntries(Object.values(ARTIFACT).map((name) => [name, name]));
  for (const stage of COMPUTE_STAGES) {
    const { asked, makes, mayLeave } = stageRow(stage);
    const names = asked.map(({ name }) => name);
    expect(names.filter((name) => !made.has(name))).toEqual([]);
    expect(Object.keys(inputsOf(stage, known, params)).filter((name) => names.includes(name))).toEqual([]);
    expect(Object.keys(inputsOf(stage, known, asking))).toEqual(expect.arrayContaining(names));
    for (const name of [...makes, ...mayLeave]) made.add(name);
  }
  const { [ARTIFACT.trainTimes]: _, ...without } = known;
  expect(() => inputsOf('train', without, asking)).toThrow(
    'train takes train-times.parquet, which no stage before it has left',
  );
});

test('a stage is given what it takes, and no more', () => {
  const known = Object.fromEntries(
    [...Object.values(ARTIFACT), 'other'].map((name) => [name, name.toUpperCase()]),
  );
  for (const stage of COMPUTE_STAGES) {
    const { takes, mayTake, besides } = stageRow(stage);
    expect(Object.keys(inputsOf(stage, known, params)).sort()).toEqual(
      [...takes, ...mayTake, ...besides].sort(),
    );
    const alone = Object.fromEntries(Object.entries(known).filter(([name]) => !mayTake.includes(name)));
    expect(Object.keys(inputsOf(stage, alone, params)).sort()).toEqual([...takes].sort());
    expect(() => inputsOf(stage, {}, params)).toThrow(
      `${stage} takes ${takes[0]}, which no stage before it has left`,
    );
  }
});

test('a stage sees the params that it depends on and its own code', () => {
  for (const stage of COMPUTE_STAGES) {
    const work = computeStage(stage, params, code);
    expect(Object.keys(work.params as object).sort()).toEqual([...stageRow(stage).params].sort());
    expect(work).toMatchObject({ code: `code of ${stage}`, makes: stageRow(stage).makes, cacheable: true });
  }
});
