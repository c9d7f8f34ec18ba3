import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type Browser } from 'playwright-core';
import { Evidence, evidencePath } from '../../../contracts/evidence';
import { digestBytes } from '../../../ml/hashing/digest';
import { receiver, type Receiver } from '../../integrations/notify/receiver';
import { launchBrowser } from '../../tools/browser';
import { RegistryView } from '../pipeline/registry-view';
import { sleep, TestProject, type StartReport } from '../pipeline/test-project';
import { StewardView } from './steward-view';

jest.setTimeout(240_000);

/** A species as a stranger may name it. */
const HOSTILE = '<img src=x onerror=alert(1)>';

interface Told {
  data: { kind: string; links: { evidence?: string } };
}

describe('the evidence of a candidate that waits for approval', () => {
  let hooks: Receiver;
  let project: TestProject;
  let registry: RegistryView;
  let connection: Connection;
  let view: StewardView;
  let browser: Browser | undefined;
  const scratch = mkdtempSync(path.join(tmpdir(), 'retrain-evidence-'));

  beforeAll(async () => {
    hooks = await receiver((response) => response.end());
    project = new TestProject(
      {
        train: { n_estimators: 1, max_depth: 1, seed: 3 },
        gate: { accuracy: 0.3 },
        promote: { approval: 'required', beat_baseline: false },
      },
      { RETRAIN_WEBHOOK_URL: hooks.url, RETRAIN_WEBHOOK_SECRET: 'a secret of 16 or more letters' },
    );
    const rows = readFileSync(project.path('data/iris.csv'), 'utf8');
    writeFileSync(project.path('data/iris.csv'), rows.replaceAll('virginica', HOSTILE));
    registry = new RegistryView(project.model);
    connection = await Connection.connect({ address: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '' });
    view = new StewardView(new Client({ connection }), project.model);
    await project.startWorker();
  });
  afterAll(async () => {
    await browser?.close();
    await project.remove();
    await registry.close();
    await connection.close();
    await hooks.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  /** The pack that the ledger names, out of MLflow. */
  async function packOf(run: StartReport): Promise<{ pack: Evidence; page: string; sha256: string }> {
    const entry = (await view.ledger()).at(-1);
    expect(entry).toMatchObject({ event: 'awaiting_approval', version: run.result?.modelVersion });
    const sha256 = entry?.evidence ?? '';
    expect(run.result?.evidence).toBe(sha256);
    const { artifactUri } = await registry.mlflow.runs.get(run.result?.mlflowRunId ?? '');
    const read = async (kind: 'json' | 'html'): Promise<Buffer> =>
      Buffer.from(await registry.mlflow.artifacts.downloadBytes(artifactUri, evidencePath(sha256, kind)));
    const json = await read('json');
    expect(digestBytes(json).sha256).toBe(sha256);
    return {
      pack: Evidence.parse(JSON.parse(json.toString())),
      page: (await read('html')).toString(),
      sha256,
    };
  }

  async function answered(version: string): Promise<void> {
    const ask = ['approve', project.model, '--version', version, '--reason', 'seen', '--json'];
    expect(await project.cli(ask)).toMatchObject({ code: 0 });
  }

  let second: StartReport;

  test('of a first version there is one, whose hash is in the ledger and in the approval’s entry', async () => {
    const first = await project.start('--wait');
    expect(first.result).toMatchObject({ outcome: 'awaiting_approval' });
    const { pack, sha256 } = await packOf(first);
    expect(pack).toMatchObject({ champion: null, sideBySide: null, changes: { known: false } });
    expect(pack.confusion?.labels).toContain(HOSTILE);
    await answered('1');
    expect((await view.ledger()).at(-1)).toMatchObject({ event: 'approved', evidence: sha256 });
  });

  test('tells what changed, both models side by side, and the rows on which they disagree', async () => {
    second = await project.start('--wait', '--set', 'train.max_depth=null', '--set', 'train.n_estimators=20');
    expect(second.result).toMatchObject({ outcome: 'awaiting_approval' });
    const { pack } = await packOf(second);
    expect(pack.changes).toMatchObject({ known: true, data: [] });
    expect(pack.changes.params.map(({ what, before, after }) => [what, before, after])).toEqual([
      ['train.max_depth', '1', 'null'],
      ['train.n_estimators', '1', '20'],
    ]);
    const accuracy = pack.metrics.find(({ metric }) => metric === 'accuracy');
    expect(accuracy?.candidate).toBe(second.result?.metrics['accuracy']);
    expect(accuracy?.champion).toBe(second.result?.champion?.metrics?.['accuracy']);
    expect(accuracy?.difference).toHaveLength(2);
    const { confusions, disagreements } = pack.sideBySide!;
    const right = (counts: number[][]): number => counts.reduce((sum, line, k) => sum + (line[k] ?? 0), 0);
    expect(right(confusions!.candidate) / 30).toBeCloseTo(accuracy!.candidate, 12);
    expect(right(confusions!.champion) / 30).toBeCloseTo(accuracy!.champion!, 12);
    expect(disagreements.won - disagreements.lost).toBe(
      right(confusions!.candidate) - right(confusions!.champion),
    );
    expect(disagreements.shown.length).toBeGreaterThan(0);
  });

  test('is linked from the notice, and from what waits in the history', async () => {
    const { sha256 } = await packOf(second);
    const told = (): Told['data'][] =>
      hooks.received
        .map(({ body }) => (JSON.parse(body) as Told).data)
        .filter(({ kind, links }) => kind === 'approval' && links.evidence?.includes(sha256) === true);
    while (told().length === 0) await sleep(100);
    const link = told()[0]?.links.evidence ?? '';
    const { stdout } = await project.cli(['history', project.model]);
    expect(stdout).toContain('v2 waits for approval');
    expect(stdout).toContain(link);
    const { waiting } = JSON.parse((await project.cli(['history', project.model, '--json'])).stdout) as {
      waiting: unknown[];
    };
    expect(waiting).toMatchObject([{ version: '2', champion: '1', evidence: sha256, evidencePage: link }]);

    browser = await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    await page.goto(link);
    // MLflow shows a page among the artifacts in a frame of its own.
    for (;;) {
      const frames = await Promise.all(
        page.frames().map((frame) =>
          frame
            .getByText('What changed against version 1')
            .count()
            .catch(() => 0),
        ),
      );
      if (frames.some((count) => count > 0)) break;
      await sleep(200);
    }
    await page.close();
  });

  test('in a browser, shows strangers’ texts as texts', async () => {
    const file = path.join(scratch, 'evidence.html');
    writeFileSync(file, (await packOf(second)).page);
    browser ??= await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 1100, height: 1400 } });
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await page.goto(`file://${file}`);
    await page.getByRole('heading', { name: 'Rows on which the two disagree' }).waitFor();
    expect(await page.getByText(HOSTILE).count()).toBeGreaterThan(0);
    expect(await page.locator('img, script').count()).toBe(0);
    expect(dialogs).toEqual([]);
    const overflows = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect(await page.evaluate(overflows)).toBe(false);
    await page.close();
  });
});
