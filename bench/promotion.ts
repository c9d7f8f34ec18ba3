/**
 * What the steward adds to a promotion, on a warm stack (`retrain up` first): a candidate that asks it and gets production, against the
 * same tags, stages and aliases moved in MLflow by themselves. In pairs, each on a model of its own, in turns.
 */
import { randomUUID } from 'node:crypto';
import { moveProduction } from '../activities/production-move';
import { type PromoteOutput } from '../contracts/activities';
import { QUERY, RUN_TAG, stewardWorkflowId, UPDATE, VERSION_TAG } from '../contracts/names';
import { type RunSpec } from '../contracts/run';
import { type DecideInput, type Standing } from '../contracts/steward';
import { askSteward } from '../temporal/ask-steward';
import { median, report, timed } from './measure';
import { buildRig, type Rig } from './rig';

const PAIRS = 25;
const WARM_UP = 3;

const REASON = 'roc_auc 0.825 beats version 1’s 0.813 on 29,412 held-out rows that neither has seen';

/** A version with a run, and nothing in it: what the registry moves is its number. */
async function register({ mlflow }: Rig, model: string, experimentId: string): Promise<string> {
  const run = await mlflow.runs.findOrCreateTagged(experimentId, model, [RUN_TAG.forceId, randomUUID()]);
  const source = `runs:/${run.runId}/model`;
  return (await mlflow.registry.findOrCreateVersion({ name: model, runId: run.runId, source, tags: {} }))
    .version;
}

async function throughSteward(
  rig: Rig,
  spec: RunSpec,
  version: string,
  champion: string | null,
): Promise<void> {
  const evaluated = {
    ...{ artifacts: {}, metrics: {}, reused: false, rows: 30 },
    ...{ candidateMetrics: { accuracy: 0.9 }, championMetrics: null, championError: null },
  };
  const args: DecideInput = {
    ...{ id: randomUUID(), spec, modelVersion: version, championVersion: champion, evaluated },
    ...{ workflowId: `train-${version}`, mlflowRunId: 'none', mlflowExperimentId: '0' },
    decision: { outcome: 'promoted', alias: 'production', reason: REASON, gate: [], comparison: null },
  };
  const { client, taskQueue } = rig;
  const { model } = spec.params;
  const output = await askSteward<PromoteOutput>({ client, taskQueue, model, update: UPDATE.decide, args });
  if (output.stale || output.outcome !== 'promoted')
    throw new Error(`not promoted: ${JSON.stringify(output)}`);
}

async function byItself({ mlflow }: Rig, model: string, version: string, from: string | null): Promise<void> {
  const tags = { [VERSION_TAG.promotionReason]: REASON, [VERSION_TAG.gatePassed]: 'true' };
  const at = new Date().toISOString();
  const move = { model, from, to: version, at, tags, replacedTags: {}, legacyStages: true };
  await moveProduction(mlflow, move, new AbortController().signal);
}

/** Until MLflow has the ledger: the next pair must not share it with that. */
async function quiet({ client }: Rig, model: string): Promise<void> {
  const steward = client.workflow.getHandle(stewardWorkflowId(model));
  for (;;) {
    const { entries, mirrored } = await steward.query<Standing>(QUERY.standing);
    if (entries === mirrored) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function main(): Promise<void> {
  const rig = await buildRig();
  try {
    const [ours, peer] = [`bench-steward-${process.pid}`, `bench-alone-${process.pid}`];
    const experimentId = await rig.mlflow.experiments.ensure('bench');
    const spec = await rig.spec(ours);
    const pairs: { ours: number; peer: number; waited: number }[] = [];
    let before: { ours: string; peer: string } | null = null;
    for (let i = 0; i < PAIRS + WARM_UP; i++) {
      const next = {
        ours: await register(rig, ours, experimentId),
        peer: await register(rig, peer, experimentId),
      };
      const champions = before;
      let waited = 0;
      const both: (() => Promise<number>)[] = [
        async () => {
          rig.busy.take();
          const wall = await timed(() => throughSteward(rig, spec, next.ours, champions?.ours ?? null));
          waited = rig.busy.take();
          return wall;
        },
        () => timed(() => byItself(rig, peer, next.peer, champions?.peer ?? null)),
      ];
      // Each is first as often as the other.
      const [a, b] = i % 2 === 0 ? [0, 1] : [1, 0];
      const times = [0, 0];
      times[a] = await both[a]!();
      times[b] = await both[b]!();
      await quiet(rig, ours);
      if (i >= WARM_UP) pairs.push({ ours: times[0] ?? NaN, peer: times[1] ?? NaN, waited });
      before = next;
    }
    const more = median(pairs.map((pair) => pair.ours - pair.peer));
    const own = median(pairs.map((pair) => pair.ours - pair.waited));
    report('promotion', [
      {
        what: `a promotion through the steward (${more.toFixed(0)} ms more; ${own.toFixed(0)} ms in all without MLflow’s answers)`,
        ours: median(pairs.map((pair) => pair.ours)),
        peer: median(pairs.map((pair) => pair.peer)),
        unit: 'ms for the same moves by themselves',
        ratio: median(pairs.map((pair) => pair.ours / pair.peer)),
        aim: '≤ 100 ms more',
      },
    ]);
  } finally {
    await rig.close();
  }
}

void main();
