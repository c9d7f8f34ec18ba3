import { type AddressInfo } from 'node:net';
import path from 'node:path';
import { type Browser } from 'playwright-core';
import { openModel } from '../../../serving/model/open-model';
import { type ModelHistory } from '../../../serving/page/page-input';
import { registerPage } from '../../../serving/page/register-page';
import { LiveModel } from '../../../serving/reload/live-model';
import { launchBrowser } from '../../tools/browser';
import { openApi } from '../api/open-api';
import { penguinModel } from '../model/model-folder';
import { FACTS } from '../small-model';

jest.setTimeout(60_000);

/** UPDATE_SCREENSHOTS=1 makes the pictures of the docs anew. */
const PICTURES =
  process.env['UPDATE_SCREENSHOTS'] === '1'
    ? path.resolve(__dirname, '..', '..', '..', 'docs', 'images')
    : null;

const NAME = 'penguin-species';
const HISTORY: ModelHistory = {
  versions: ['3', '2', '1'].map((version, index) => ({
    version,
    aliases: [['production'], ['previous-production'], []][index] ?? [],
    createdAt: Date.UTC(2026, 2, 9 - index, 3, 2),
    testAccuracy: ['0.9855', '0.9710', '0.9420'][index] ?? null,
    reason:
      ['better than version 2 by 0.0145', 'better than version 1 by 0.0290', 'the first version'][index] ??
      null,
  })),
  moves: ['3', '2', '1'].map((version, index) => ({
    index: 2 - index,
    at: new Date(Date.UTC(2026, 2, 9 - index, 3, 3)).toISOString(),
    event: 'promoted' as const,
    by: `scheduled-${NAME}-2026-03-0${9 - index}T03:00:00Z`,
    version,
    from: version === '1' ? null : String(Number(version) - 1),
    to: version,
    reason:
      ['better than version 2 by 0.0145', 'better than version 1 by 0.0290', 'the first version'][index] ??
      '',
    evidence: null,
    pipelineKey: null,
    previous: '0'.repeat(64),
    hash: '0'.repeat(64),
  })),
};

test('a penguin is told from the others by the page, as the model itself tells it', async () => {
  const { dir, records, schema, predictions } = await penguinModel('classification');
  const served = await openModel(dir);
  const api = await openApi({}, null, (app, context) =>
    registerPage(app, context, { history: async () => HISTORY, versionLink: () => 'http://localhost:5000/' }),
  );
  let browser: Browser | undefined;
  try {
    const metrics = { accuracy: 0.9855, f1_score: 0.9831, log_loss: 0.0712 };
    const [first = {}] = records;
    const facts = {
      ...FACTS,
      name: NAME,
      metrics,
      example: [first],
      dataHash: '9c1f'.repeat(16),
      gitCommit: '4e1d0a7b'.repeat(5),
    };
    api.models.live = new LiveModel(facts, served);
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    browser = await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 1120, height: 1180 } });
    await page.goto(`http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}/ui`);
    await page.getByRole('button', { name: 'Predict' }).click();
    const chances = [...predictions.slice(0, schema.classes.length)];
    const expected = schema.classes[chances.indexOf(Math.max(...chances))] ?? '';
    await page.locator('#answer strong', { hasText: expected }).waitFor();
    await page.locator('#classes', { hasText: expected }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      if (PICTURES !== null)
        await page.screenshot({ path: path.join(PICTURES, `page-${colorScheme}.png`), fullPage: true });
    }
  } finally {
    await browser?.close();
    await api.app.close();
    await served.close();
  }
});
