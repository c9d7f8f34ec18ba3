import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { type PromoteOutput } from '../../../contracts/activities';
import { UPDATE, stewardWorkflowId } from '../../../contracts/names';
import { type LedgerEntry, type StewardActivities } from '../../../contracts/steward';
import { firstBreak, sealEntries } from '../../../ml/ledger/chain';
import { askSteward } from '../../../temporal/ask-steward';
import { ROOT } from '../pipeline/test-project';
import { StewardView } from './steward-view';

/** A registry that promotes everything at once, so that the ledger's length is what is tested. */
class QuickRegistry {
  production: string | null = null;
  readonly mirrored = new Map<number, LedgerEntry>();

  activities(): StewardActivities {
    const refused = async (): Promise<never> => Promise.reject(new Error('not asked for here'));
    return {
      ...{ moveByHand: refused, closeApproval: refused, observeProduction: refused },
      recallLedger: async () => Promise.resolve({ entries: [], total: 0 }),
      settleCandidate: async ({ ask, position }) => {
        const from = position.production ?? null;
        const to = ask.modelVersion;
        const draft = {
          event: 'promoted',
          by: ask.workflowId,
          version: to,
          from,
          to,
          reason: 'r'.repeat(200),
        } as const;
        this.production = to;
        const output: PromoteOutput = {
          stale: false,
          outcome: 'promoted',
          alias: 'production',
          reason: 'r',
          gate: [],
          comparison: null,
        };
        return Promise.resolve({
          entries: sealEntries(position, [{ ...draft, evidence: null, pipelineKey: null }]),
          production: to,
          answer: { output, evidence: null },
        });
      },
      watchProduction: async () => Promise.reject(ApplicationFailure.retryable('unchanged', 'UNCHANGED')),
      mirrorLedger: async ({ entries }) => {
        for (const entry of entries) this.mirrored.set(entry.index, entry);
        return Promise.resolve({ mirrored: (entries.at(-1)?.index ?? -1) + 1 });
      },
    };
  }
}

/** A steward that promotes so many versions one after the other: it continues as new, nothing is lost, and queries are quick. */
export async function growLedger(size: number): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  const address = process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '';
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const client = new Client({ connection });
  const model = `long-${randomUUID().slice(0, 8)}`;
  const registry = new QuickRegistry();
  const worker = await Worker.create({
    ...{ connection: native, taskQueue: model, activities: registry.activities() },
    workflowBundle: { codePath: path.join(ROOT, 'dist', 'workflow-bundle.js') },
  });
  const promote = { approval: 'none', legacy_stages: true, outside_moves: 'accept' };
  const spec = { params: { model, promote, notify: { on: [] } }, pipelineKey: '' };
  let next = 1;
  const asker = async (): Promise<void> => {
    while (next <= size) {
      const version = String(next++);
      const args = {
        id: version,
        spec,
        modelVersion: version,
        championVersion: null,
        workflowId: `train-${version}`,
      };
      await askSteward({ client, taskQueue: model, model, update: UPDATE.decide, args, id: version });
    }
  };
  await worker.runUntil(async () => {
    const first = asker();
    await Promise.all([first, asker(), asker(), asker()]);
    const view = new StewardView(client, model);
    const standing = await view.untilMirrored();
    expect(standing.entries).toBe(size);
    const mirrored = [...registry.mirrored.values()].sort((a, b) => a.index - b.index);
    expect(mirrored).toHaveLength(size);
    expect(firstBreak(mirrored)).toBeNull();
    expect(new Set(mirrored.map(({ version }) => version)).size).toBe(size);
    const { raw } = await client.workflow.getHandle(stewardWorkflowId(model)).describe();
    expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(raw.workflowExecutionInfo?.execution?.runId);
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const before = performance.now();
      await view.standing();
      times.push(performance.now() - before);
    }
    const median = times.sort((a, b) => a - b)[10]!;
    console.info(`${size} entries: a query takes ${median.toFixed(1)} ms (median of 20)`);
  });
  await native.close();
  await connection.close();
}
