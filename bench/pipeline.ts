/**
 * What the pipeline itself costs, on a warm stack (`retrain up` first), against a bare workflow of five empty
 * activities on the same server.
 *
 * overhead: a whole run on iris, from start to production; its wall time without the time in which a stage
 * computed or MLflow was answering. throughput: 200 runs with different seeds at concurrency 20 on one worker,
 * with an MLflow that answers at once.
 */
import { InstantMlflow } from './instant-mlflow';
import { median, report, timed } from './measure';
import { buildRig } from './rig';

const PAIRS = 15;
const RUNS = 200;
const CONCURRENCY = 20;

async function overhead(): Promise<void> {
  const rig = await buildRig();
  try {
    await rig.bare(`bare-warm-${process.pid}`);
    await rig.pipeline(0);
    const pairs: { ours: number; peer: number; wall: number }[] = [];
    for (let i = 1; i <= PAIRS; i++) {
      const peer = await timed(() => rig.bare(`bare-${process.pid}-${i}`));
      rig.busy.take();
      const wall = await timed(() => rig.pipeline(i));
      pairs.push({ ours: wall - rig.busy.take(), peer, wall });
    }
    report('pipeline', [
      {
        what: `overhead of a run on iris (${median(pairs.map(({ wall }) => wall)).toFixed(0)} ms in all)`,
        ours: median(pairs.map(({ ours }) => ours)),
        peer: median(pairs.map(({ peer }) => peer)),
        unit: 'ms for a bare workflow',
        ratio: median(pairs.map(({ ours, peer }) => ours / peer)),
        aim: '≤ 3',
      },
    ]);
  } finally {
    await rig.close();
  }
}

async function throughput(): Promise<void> {
  const rig = await buildRig(new InstantMlflow());
  try {
    await atOnce(CONCURRENCY, (i) => rig.pipeline(-1 - i, 'bench-warm').catch(() => undefined), CONCURRENCY);
    const bare = await rate((i) => rig.bare(`many-${process.pid}-${i}`));
    const ours = await rate((i) => rig.pipeline(i, `bench-many-${process.pid}`));
    report('pipeline', [
      {
        what: `throughput of ${RUNS} runs, ${CONCURRENCY} at once`,
        ours,
        peer: bare,
        unit: 'bare workflows a second',
        ratio: ours / bare,
        aim: '≥ 0.5',
      },
    ]);
  } finally {
    await rig.close();
  }
}

/** Per second. */
async function rate(work: (i: number) => Promise<void>): Promise<number> {
  return (1000 * RUNS) / (await timed(() => atOnce(CONCURRENCY, work, RUNS)));
}

async function atOnce(concurrency: number, work: (i: number) => Promise<void>, count: number): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

void overhead().then(throughput);
