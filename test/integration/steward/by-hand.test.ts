import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { stewardWorkflowId } from '../../../contracts/names';
import { signatureHeaders } from '../../../integrations/notify/signature';
import { firstBreak } from '../../../ml/ledger/chain';
import { takeHistory } from '../pipeline/recorded-history';
import { RegistryView } from '../pipeline/registry-view';
import { ROOT, sleep, TestProject, type Finished } from '../pipeline/test-project';
import { Candidates, type TestCandidate } from './candidates';
import { StewardView } from './steward-view';

jest.setTimeout(120_000);

// Replays say nothing.
beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
});

const connection = Connection.lazy({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
const client = new Client({ connection });

afterAll(() => connection.close());

/** Of signed answers. */
const SECRET = 'an approval secret of 32 letters or more';

const code = ({ stdout }: Finished): unknown =>
  (JSON.parse(stdout) as { error: { code: string } }).error.code;

describe('promote, rollback and history', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  const candidates = new Candidates(project, registry.mlflow, client);
  const view = new StewardView(client, project.model);
  const all: TestCandidate[] = [];

  beforeAll(async () => {
    await project.startWorker();
    for (const quality of [0.91, 0.95]) {
      const one = await candidates.register(quality);
      all.push(one);
      await candidates.contest(one);
    }
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  const standing = async (): Promise<unknown> =>
    (await registry.versions()).map(({ version, stage, aliases }) => [version, stage, ...aliases.sort()]);
  const by = ['--as', 'ann', '--json', '--reason'];

  test('rollback goes back to the version before; aliases and stages follow', async () => {
    const { code: exit, stderr } = await project.cli(['rollback', project.model, ...by, 'scores fell']);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(await standing()).toEqual([
      ['2', 'Archived', 'previous-production'],
      ['1', 'Production', 'production'],
    ]);
    const [second] = await registry.versions();
    expect(second?.tags).toMatchObject({ rolled_back: 'by ann: scores fell', replaced_by: '1' });
  });

  test('a second rollback has nowhere to go, and says so', async () => {
    const refused = await project.cli(['rollback', project.model, ...by, 'again']);
    expect({ exit: refused.code, code: code(refused) }).toEqual({ exit: 5, code: 'PROMOTION_REFUSED' });
  });

  test('a candidate of the same data, params and code is not promoted, unless it is forced', async () => {
    const { spec } = all[1]!;
    const twin = await candidates.register(0.96, spec);
    expect(await candidates.contest(twin)).toMatchObject({
      outcome: 'staged',
      reason: expect.stringContaining('was rolled back by ann (scores fell)') as string,
    });
    const forced = await candidates.register(0.97, { ...spec, forceId: 'x' });
    expect(await candidates.contest(forced)).toMatchObject({ outcome: 'promoted' });
  });

  test('promote undoes a rollback in one command', async () => {
    const { code: exit, stderr } = await project.cli([
      'promote',
      `${project.model}@2`,
      ...by,
      'drift is over',
    ]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const [, , second] = await registry.versions();
    expect(second).toMatchObject({ version: '2', stage: 'Production', aliases: ['production'] });
    expect(second?.tags).toMatchObject({ rolled_back: '', replaced_by: '', promoted: 'true' });
    expect((await view.standing()).rolledBack).toEqual([]);
  });

  test('a version whose files are gone is refused, and nothing moves', async () => {
    const run = await registry.mlflow.runs.findOrCreateTagged('0', 'empty', ['empty', project.id]);
    const { version } = await registry.mlflow.registry.findOrCreateVersion({
      ...{ name: project.model, runId: run.runId, source: `runs:/${run.runId}/model`, tags: {} },
    });
    const before = await standing();
    const refused = await project.cli(['promote', `${project.model}@${version}`, ...by, 'x']);
    expect(code(refused)).toBe('VERIFICATION_FAILED');
    expect(await standing()).toEqual(before);
  });

  test('a move in MLflow itself is noticed within a minute and entered', async () => {
    await registry.mlflow.registry.setAlias(project.model, 'production', '1');
    const since = Date.now();
    while ((await view.standing()).production !== '1') await sleep(200);
    expect(Date.now() - since).toBeLessThan(60_000);
    expect((await view.ledger()).at(-1)).toMatchObject({ event: 'moved_outside', from: '2', to: '1' });
  });

  test('history shows it all, says what was production when, and checks the chain from MLflow alone', async () => {
    await view.untilMirrored();
    const shown = await project.cli(['history', project.model, '--json']);
    const { entries } = JSON.parse(shown.stdout) as { entries: { event: string; at: string; to: string }[] };
    expect(entries.map(({ event }) => event)).toEqual([
      ...['promoted', 'promoted', 'rolled_back', 'staged', 'promoted', 'promoted_by_hand', 'moved_outside'],
    ]);
    expect(firstBreak(await view.ledger())).toBeNull();
    const then = await project.cli(['history', project.model, '--json', '--at', entries[1]!.at]);
    expect(JSON.parse(then.stdout)).toMatchObject({ production: '2' });
    const offline = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const whole = await project.cli(['history', project.model, '--json', '--verify'], offline);
    expect(JSON.parse(whole.stdout)).toMatchObject({ verified: true, entries: 7 });
    await registry.mlflow.registry.setModelTags(project.model, { ledger_entries: '9' });
    const broken = await project.cli(['history', project.model, '--json', '--verify'], offline);
    expect({ exit: broken.code, code: code(broken) }).toEqual({ exit: 1, code: 'LEDGER_BROKEN' });
  });

  test('the history of its steward replays', async () => {
    await takeHistory(client, 'steward-by-hand', stewardWorkflowId(project.model));
  });
});

describe('approval', () => {
  const promote = {
    approval: 'required',
    approvers: ['ann', 'bob'],
    four_eyes: true,
    approval_expires: '72h',
  };
  const project = new TestProject({ promote });
  const registry = new RegistryView(project.model);
  const candidates = new Candidates(project, registry.mlflow, client);
  const view = new StewardView(client, project.model);

  let hook: string;

  beforeAll(async () => {
    const worker = await project.startWorker({
      RETRAIN_APPROVAL_SECRET: SECRET,
      RETRAIN_APPROVAL_ADDRESS: '127.0.0.1:0',
    });
    hook = /"url":"(http:[^"]+)"/.exec(worker.log)?.[1] ?? '';
  });
  afterAll(async () => {
    await project.remove();
    await registry.close();
  });

  async function answer(what: string, version: string, as: string): Promise<unknown> {
    const said = await project.cli([
      what,
      project.model,
      '--version',
      version,
      '--as',
      as,
      '--reason',
      'r',
      '--json',
    ]);
    return said.code === 0 ? 'done' : code(said);
  }

  test('a winner waits; each wrong answer has a refusal of its own; the right one moves production', async () => {
    const waiting = [];
    for (const quality of [0.91, 0.93, 0.95]) {
      const candidate = await candidates.register(quality, { user: 'bob' });
      expect(await candidates.contest(candidate)).toMatchObject({
        outcome: 'awaiting_approval',
        alias: 'staging',
      });
      waiting.push(candidate.version);
    }
    const [first = '', second = '', third = ''] = waiting;
    expect(await registry.mlflow.registry.findByAlias(project.model, 'production')).toBeNull();
    expect(await answer('approve', '77', 'ann')).toBe('NOT_PENDING');
    expect(await answer('approve', first, 'eve')).toBe('NOT_AN_APPROVER');
    expect(await answer('approve', first, 'bob')).toBe('NOT_AN_APPROVER');
    expect(await answer('reject', third, 'ann')).toBe('done');
    expect(await answer('approve', first, 'ann')).toBe('done');
    expect(await answer('approve', first, 'ann')).toBe('NOT_PENDING');
    expect(await answer('approve', second, 'ann')).toBe('APPROVAL_STALE');
    expect(await registry.mlflow.registry.findByAlias(project.model, 'production')).toMatchObject({
      version: first,
    });
    expect((await view.ledger()).map(({ event, by }) => [event, by]).slice(-2)).toEqual([
      ['rejected', 'ann'],
      ['approved', 'ann'],
    ]);
  });

  test('a signed answer counts once; the rules for approvers hold for it, too', async () => {
    const candidate = await candidates.register(0.98, { user: 'bob' });
    expect(await candidates.contest(candidate)).toMatchObject({ outcome: 'awaiting_approval' });
    const body = (by: string, decision = 'approve'): string =>
      JSON.stringify({ model: project.model, version: candidate.version, decision, by, reason: 'CHG-1' });
    const headers = (text: string): Record<string, string> =>
      signatureHeaders(SECRET, randomUUID(), Date.now(), text);
    const post = async (text: string, signed = headers(text)): Promise<unknown> => {
      const response = await fetch(hook, { method: 'POST', body: text, headers: signed });
      const { error, entry } = (await response.json()) as {
        error?: { code: string };
        entry?: { event: string };
      };
      return [response.status, error?.code ?? entry?.event];
    };
    expect(await post(body('ann'), {})).toEqual([403, 'FORBIDDEN']);
    expect(await post(body('eve'))).toEqual([403, 'NOT_AN_APPROVER']);
    expect(await post(body('bob'))).toEqual([403, 'NOT_AN_APPROVER']);
    const right = body('ann');
    const signed = headers(right);
    expect(await post(right, signed)).toEqual([200, 'approved']);
    expect(await post(right, signed)).toEqual([409, 'NOT_PENDING']);
    expect(await post(body('ann', 'reject'))).toEqual([409, 'NOT_PENDING']);
    expect(await byTheDocs(candidate.version)).toContain('"code":"NOT_PENDING"');
    expect((await view.ledger()).filter(({ version }) => version === candidate.version)).toMatchObject([
      { event: 'awaiting_approval' },
      { event: 'approved', by: 'ann', reason: 'CHG-1' },
    ]);
  });

  /** The lines of docs/promotion.md, for this model and version. */
  async function byTheDocs(version: string): Promise<string> {
    const docs = readFileSync(path.join(ROOT, 'docs', 'promotion.md'), 'utf8');
    const lines = /```sh\n(body=[^`]*)```/.exec(docs)?.[1] ?? '';
    const script = lines
      .replace('iris-classifier', project.model)
      .replace('"version":"3"', `"version":"${version}"`)
      .replace(/http:\S+/, hook);
    const env = { ...process.env, RETRAIN_APPROVAL_SECRET: SECRET, no_proxy: '127.0.0.1' };
    return (await promisify(execFile)('bash', ['-c', script], { env })).stdout;
  }

  test('an approval that nobody gives in time expires', async () => {
    project.writeParams({ promote: { ...promote, approval_expires: '2s' } });
    const candidate = await candidates.register(0.99);
    expect(await candidates.contest(candidate)).toMatchObject({ outcome: 'awaiting_approval' });
    while ((await view.ledger()).at(-1)?.event !== 'expired') await sleep(100);
    expect(await answer('approve', candidate.version, 'ann')).toBe('NOT_PENDING');
  });

  test('the history of its steward replays', async () => {
    await takeHistory(client, 'steward-approvals', stewardWorkflowId(project.model));
  });
});
