import path from 'node:path';
import { type Browser, type Page } from 'playwright-core';
import { type TrainingResult } from '../../../contracts/run';
import { launchBrowser } from '../../tools/browser';
import { ROOT, TestProject } from './test-project';

jest.setTimeout(180_000);

/** UPDATE_SCREENSHOTS=1 makes the pictures of the docs anew. */
const PICTURES = process.env['UPDATE_SCREENSHOTS'] === '1' ? path.join(ROOT, 'docs', 'images') : null;

describe('someone who reads only Temporal’s Web UI', () => {
  const project = new TestProject({
    experiment: 'iris',
    model: 'iris-classifier',
    train: { n_estimators: 100 },
  });
  let browser: Browser | undefined;
  let page: Page;
  let result: TrainingResult;

  beforeAll(async () => {
    await project.startWorker();
    result = (await project.start('--wait')).result as TrainingResult;
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1400, height: 1090 } });
  });
  afterAll(async () => {
    await browser?.close();
    await project.remove();
  });

  async function open(tab: string): Promise<void> {
    const base = process.env['RETRAIN_TEST_TEMPORAL_UI'] ?? '';
    await page.goto(
      `${base}/namespaces/default/workflows/${result.workflowId}/${result.workflowRunId}/${tab}`,
    );
  }

  async function inSomeFrame(text: string): Promise<void> {
    await Promise.any(page.frames().map((frame) => frame.getByText(text).first().waitFor()));
  }

  async function picture(name: string): Promise<void> {
    if (PICTURES !== null) await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }

  test('sees on the timeline what each activity did', async () => {
    await open('history');
    for (const label of ['preprocess', 'train', 'evaluate', 'register', 'askSteward']) {
      await page
        .getByText(new RegExp(`${label} •`))
        .first()
        .waitFor();
    }
    await page.getByText('train • random-forest, 100 trees').first().waitFor();
    await picture('run-in-web-ui');
  });

  test('finds the run’s summary, and each stage with its outcome', async () => {
    await open('user-metadata');
    await page.getByText('Current Details').first().waitFor();
    await page.waitForLoadState('networkidle');
    // The page renders each text in a frame of its own.
    await inSomeFrame('iris-classifier: random-forest on data/iris.csv');
    await inSomeFrame('120 training rows, 30 held out');
    await inSomeFrame(result.reason);
    await picture('run-details');
  });

  test('can search for it by model and promotion', async () => {
    const base = process.env['RETRAIN_TEST_TEMPORAL_UI'] ?? '';
    const query = encodeURIComponent(
      `Model="iris-classifier" AND Promoted=true AND PipelineKey="${result.pipelineKey}"`,
    );
    await page.goto(`${base}/namespaces/default/workflows?query=${query}`);
    await page.getByText(result.workflowId).first().waitFor();
  });
});
