import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { type Browser, type Page } from 'playwright-core';
import { stewardWorkflowId } from '../../../contracts/names';
import { launchBrowser } from '../../tools/browser';
import { RegistryView } from '../pipeline/registry-view';
import { sleep, TestProject } from '../pipeline/test-project';
import { Candidates } from './candidates';
import { StewardView } from './steward-view';

jest.setTimeout(180_000);

describe('a steward’s updates from Temporal’s Web UI', () => {
  const project = new TestProject();
  const registry = new RegistryView(project.model);
  let connection: Connection;
  let view: StewardView;
  let browser: Browser | undefined;

  beforeAll(async () => {
    connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
    const client = new Client({ connection });
    const candidates = new Candidates(project, registry.mlflow, client);
    view = new StewardView(client, project.model);
    await project.startWorker();
    for (const quality of [0.91, 0.95]) await candidates.contest(await candidates.register(quality));
  });
  afterAll(async () => {
    await browser?.close();
    await project.remove();
    await registry.close();
    await connection.close();
  });

  /** One payload of plain JSON as somebody typed it, without any SDK. @returns what the server says of it */
  async function send(update: string, ...typed: string[]): Promise<{ refused?: string; done?: unknown }> {
    const encoding = Buffer.from('json/plain');
    const { outcome } = await connection.workflowService.updateWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: stewardWorkflowId(project.model) },
      waitPolicy: { lifecycleStage: 3 },
      request: {
        meta: { updateId: randomUUID(), identity: 'web-ui' },
        input: {
          name: update,
          args: { payloads: typed.map((text) => ({ metadata: { encoding }, data: Buffer.from(text) })) },
        },
      },
    });
    if (outcome?.failure != null) return { refused: outcome.failure.message ?? '' };
    const [payload] = outcome?.success?.payloads ?? [];
    return { done: JSON.parse(Buffer.from(payload?.data ?? []).toString()) };
  }

  test('what makes no sense is refused in words, and leaves no trace', async () => {
    const cases: [update: string, typed: string[], words: RegExp][] = [
      ['approve', [], /^expected one JSON object such as \{"version": "3"/],
      ['approve', ['"3"'], /^expected one JSON object .*, got "3"$/],
      ['approve', ['[{"version": "1"}]'], /^expected one JSON object/],
      ['approve', ['null'], /^expected one JSON object/],
      ['approve', ['{"version": 1, "by": "ann", "reason": "r"}'], /^version must be the number .*, got 1$/],
      [
        'approve',
        ['{"version": "1", "by": "ann"}'],
        /^reason must be a text of 1 to 1000 characters, got nothing/,
      ],
      ['approve', ['{"version": "1", "by": "ann", "reason": "r"}'], /does not wait for approval/],
      ['reject', ['{"version": "1", "by": " ", "reason": "r"}'], /^by must be a text of 1 to 200 characters/],
      [
        'promote',
        ['{"version": "1", "by": "a", "reason": "r", "force": "no"}'],
        /^force must be true or false/,
      ],
      [
        'rollback',
        ['{"version": "1", "by": "a", "reason": "r"}'],
        /^unknown key "version", expected to, by, reason/,
      ],
      [
        'rollback',
        [`{"by": "a", "reason": "${'r'.repeat(1001)}"}`],
        /^reason must be .*, got 1003 characters$/,
      ],
      ['decide', ['{}'], /^decide is asked by runs/],
      ['decide', [], /^decide is asked by runs/],
    ];
    const before = await view.standing();
    for (const [update, typed, words] of cases) {
      expect({ update, typed, ...(await send(update, ...typed)) }).toEqual({
        ...{ update, typed, refused: expect.stringMatching(words) as string },
      });
    }
    // What was entered before may be mirrored meanwhile.
    expect(await view.standing()).toEqual({ ...before, mirrored: expect.any(Number) as number });
  });

  test('a rollback and a promotion, typed by hand, are done and answered with the ledger’s entry', async () => {
    expect(await send('rollback', '{"by": "ann", "reason": "scores fell"}')).toMatchObject({
      done: { entry: { event: 'rolled_back', from: '2', to: '1', by: 'ann' } },
    });
    expect(await send('promote', '{"version": "2", "by": "ann", "reason": "mended"}')).toMatchObject({
      done: { entry: { event: 'promoted_by_hand', to: '2' } },
    });
  });

  test('and so in the browser', async () => {
    browser = await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    const base = process.env['RETRAIN_TEST_TEMPORAL_UI'] ?? '';
    await page.goto(`${base}/namespaces/default/workflows/${stewardWorkflowId(project.model)}`);
    await page.getByText(stewardWorkflowId(project.model)).first().waitFor();
    await fill(page);
    while ((await view.standing()).production !== '1') await sleep(200);
    expect((await view.ledger()).at(-1)).toMatchObject({
      event: 'rolled_back',
      by: 'ann',
      reason: 'clicked',
    });
  });

  async function fill(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'More Actions' }).click();
    await page.getByRole('menuitem', { name: 'Send an Update' }).click();
    const dialog = page.locator('dialog[open]');
    await dialog.getByTestId('update-select-button').click();
    await dialog.getByRole('option').filter({ hasText: 'rollback' }).click();
    await dialog.locator('.cm-content').fill('{"by": "ann", "reason": "clicked"}');
    // By its key: the editor lays out what it holds once it is left, which moves the button away from a click.
    await dialog.getByRole('button', { name: 'Submit' }).press('Enter');
    await dialog.waitFor({ state: 'hidden' });
  }
});
