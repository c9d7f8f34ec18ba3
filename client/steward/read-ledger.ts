import { RetrainError } from '../../contracts/errors';
import { QUERY, stewardWorkflowId } from '../../contracts/names';
import { type LedgerEntry, type LedgerPage, type Standing } from '../../contracts/steward';
import { BRIEF } from '../../integrations/mlflow/backoff';
import { createMlflow } from '../../integrations/mlflow/client';
import { LedgerMirror, type MirroredLedger } from '../../integrations/mlflow/ledger-mirror';
import { firstBreak } from '../../ml/ledger/chain';
import { type ClientConfig } from '../config';

/**
 * The ledger as MLflow has it, checked: offline, as far as Temporal goes.
 *
 * @throws RetrainError LEDGER_BROKEN with the first entry that is wrong; NOT_FOUND
 */
export async function mirroredLedger(config: ClientConfig, model: string): Promise<LedgerEntry[]> {
  const mirror = await fromMlflow(config, model);
  if (mirror === null) throw noLedger(model);
  const { entries, claimed } = mirror;
  const broken = firstBreak(entries);
  if (broken !== null) {
    throw new RetrainError(
      'LEDGER_BROKEN',
      `the ledger of ${model} breaks at entry ${broken.index}: ${broken.why}; nothing from there on can be relied on`,
    );
  }
  if (claimed === null) {
    throw new RetrainError(
      'LEDGER_BROKEN',
      `${model} does not say how far its ledger goes: its tags are gone`,
    );
  }
  if (claimed.entries > entries.length || entries[claimed.entries - 1]?.hash !== claimed.head) {
    throw new RetrainError(
      'LEDGER_BROKEN',
      `the ledger of ${model} has ${entries.length} entries, and its tags speak of ${claimed.entries} with the head ${claimed.head.slice(0, 12)}…: entries were taken off its end, or written anew`,
    );
  }
  return entries;
}

/**
 * All entries: those that the steward has at hand, and the older ones, or all while it is away, from MLflow.
 *
 * @throws RetrainError NOT_FOUND when there is neither
 */
export async function wholeLedger(config: ClientConfig, model: string): Promise<LedgerEntry[]> {
  const newest = await fromSteward(config, model);
  const first = newest?.[0]?.index;
  if (newest !== null && first === 0) return newest;
  const mirror = await fromMlflow(config, model);
  const older = (mirror?.entries ?? []).filter(({ index }) => first === undefined || index < first);
  const all = [...older, ...(newest ?? [])];
  if (all.length === 0) throw noLedger(model);
  return all;
}

/** What a model's steward says of itself; null: none answers. */
export async function stewardStanding(config: ClientConfig, model: string): Promise<Standing | null> {
  const { withTemporal } = await import('../run/temporal-session.js');
  try {
    return await withTemporal(config, ({ client }) =>
      client.workflow.getHandle(stewardWorkflowId(model)).query<Standing>(QUERY.standing),
    );
  } catch (error) {
    if (error instanceof RetrainError) return null;
    throw error;
  }
}

async function fromMlflow(config: ClientConfig, model: string): Promise<MirroredLedger | null> {
  const mlflow = createMlflow(config.mlflow, { rule: BRIEF });
  try {
    return await new LedgerMirror(mlflow).read(model);
  } finally {
    await mlflow.close();
  }
}

/** Null: no steward answers, so MLflow's copy is what there is. */
async function fromSteward(config: ClientConfig, model: string): Promise<LedgerEntry[] | null> {
  const { withTemporal } = await import('../run/temporal-session.js');
  try {
    return await withTemporal(config, async ({ client }) => {
      const handle = client.workflow.getHandle(stewardWorkflowId(model));
      const entries: LedgerEntry[] = [];
      for (let from = 0; ;) {
        const page = await handle.query<LedgerPage, [{ from: number }]>(QUERY.ledger, { from });
        entries.push(...page.entries);
        from = (page.entries.at(-1)?.index ?? page.total) + 1;
        if (from >= page.total) return entries;
      }
    });
  } catch (error) {
    if (error instanceof RetrainError) return null;
    throw error;
  }
}

function noLedger(model: string): RetrainError {
  return new RetrainError(
    'NOT_FOUND',
    `there is no ledger of ${model}: no run of it has ended yet, or its name is another one; list the runs: retrain list`,
  );
}
