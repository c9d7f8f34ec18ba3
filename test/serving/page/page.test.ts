import { type AddressInfo } from 'node:net';
import { type Browser, type Page } from 'playwright-core';
import { type ApiSettings } from '../../../serving/api/settings';
import { LiveModel } from '../../../serving/reload/live-model';
import { type ModelHistory } from '../../../serving/page/page-input';
import { PAGE_POLICY, registerPage } from '../../../serving/page/register-page';
import { launchBrowser } from '../../tools/browser';
import { openApi, type OpenedApi } from '../api/open-api';
import { FACTS, SmallModel } from '../small-model';

const STRANGE = `<script>document.title='owned'</script>"><img src=x onerror="document.title='owned'">`;

const HISTORY: ModelHistory = {
  versions: [
    {
      version: '3',
      aliases: ['production'],
      createdAt: Date.UTC(2026, 2, 9),
      testAccuracy: '0.97',
      reason: STRANGE,
    },
  ],
  moves: [
    {
      index: 4,
      at: '2026-03-09T10:00:00.000Z',
      event: 'promoted',
      by: STRANGE,
      version: '3',
      from: '2',
      to: '3',
      reason: 'accuracy 0.97 against 0.95',
      evidence: null,
      pipelineKey: null,
      previous: '0'.repeat(64),
      hash: '1'.repeat(64),
    },
  ],
};

jest.setTimeout(60_000);

let api: OpenedApi;
let browser: Browser;
let page: Page;
let address: string;
let history: () => Promise<ModelHistory>;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

async function open(
  served: SmallModel | null = new SmallModel(),
  settings: Partial<ApiSettings> = {},
): Promise<void> {
  history = () => Promise.resolve(HISTORY);
  api = await openApi(settings, served, (app, context) =>
    registerPage(app, context, {
      history: () => history(),
      versionLink: () => 'http://localhost:5000/#/models',
    }),
  );
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  address = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
  page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
}
afterEach(async () => {
  await page.close();
  await api.app.close();
});

test('shows the model in production, where it comes from, and how it came there', async () => {
  await open();
  await page.goto(`${address}/ui`);
  await page.getByRole('heading', { name: 'sizes, version 3' }).waitFor();
  for (const text of ['a'.repeat(64), 'b'.repeat(40), '0.9000', 'accuracy 0.97 against 0.95', 'promoted']) {
    await page.getByText(text, { exact: true }).first().waitFor();
  }
  await page.getByRole('link', { name: 'This version in MLflow' }).waitFor();
});

test('a row is tried with the keyboard alone, and the counters follow', async () => {
  await open();
  await page.goto(`${address}/ui`);
  await page.getByLabel(/^size/).focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('4');
  await page.keyboard.press('Enter');
  const answer = page.locator('#answer');
  await answer.getByText('Prediction: big').waitFor();
  await answer.getByText(/^Probability 0\.98/).waitFor();
  await answer.getByText(/By version 3, request /).waitFor();
  await page.locator('[data-figure="rows"]', { hasText: '1' }).waitFor();
  await page.locator('#classes').getByText('big').waitFor();
  expect(api.log.heard).toHaveLength(1);
});

test('a field that is not as the model takes it says so, and gets the focus', async () => {
  await open();
  await page.goto(`${address}/ui`);
  const size = page.getByLabel(/^size/);
  await size.fill('large');
  await page.getByRole('button', { name: 'Predict' }).click();
  await page.getByText('expected a finite number, got "large"').waitFor();
  expect(await size.getAttribute('aria-invalid')).toBe('true');
  expect(await page.evaluate('document.activeElement.dataset.column')).toBe('size');
});

test('where keys are configured, the browser asks for one, and the page works with it', async () => {
  await open(new SmallModel(), { keys: [{ name: 'ann', key: 'ann-secret' }] });
  expect((await page.goto(`${address}/ui`))?.status()).toBe(401);
  await page.close();
  const answers: Record<string, number | undefined> = {};
  for (const password of ['wrong', 'ann-secret']) {
    const context = await browser.newContext({ httpCredentials: { username: 'ann', password } });
    page = await context.newPage();
    answers[password] = (await page.goto(`${address}/ui`))?.status();
  }
  expect(answers).toEqual({ wrong: 401, 'ann-secret': 200 });
  // The style, the script and what it asks for come with the key, too.
  await page.getByLabel(/^size/).fill('4');
  await page.getByRole('button', { name: 'Predict' }).click();
  await page.locator('#answer').getByText('Prediction: big').waitFor();
  await page.locator('[data-figure="rows"]', { hasText: '1' }).waitFor();
  expect((await page.goto(`${address}/docs`))?.status()).toBe(200);
});

test('says what the cut-off of the evaluation decides, where there is one', async () => {
  await open(new SmallModel({ cutoff: 0.001 }));
  await page.goto(`${address}/ui`);
  await page.getByLabel(/^size/).fill('-4');
  await page.getByRole('button', { name: 'Predict' }).click();
  await page.getByText('Prediction: small').waitFor();
  await page.getByText('Decision big: big is decided for from a probability of 0.001 on').waitFor();
});

test('a level can be chosen, or none', async () => {
  await open();
  await page.goto(`${address}/ui`);
  const colour = page.getByLabel(/^colour/);
  expect(await colour.locator('option').allTextContents()).toEqual(['(none)', 'red', 'blue']);
  await colour.selectOption('');
  await page.getByRole('button', { name: 'Predict' }).click();
  await page.getByText(/^Prediction:/).waitFor();
  const [, text] = api.log.heard[0]?.batch.columns ?? [];
  expect(text).toMatchObject({ kind: 'text', codes: Int32Array.of(-1) });
});

test('what strangers wrote is shown as it is, and nothing of it runs', async () => {
  await open();
  const served = new SmallModel();
  const facts = {
    ...FACTS,
    name: STRANGE,
    gitCommit: STRANGE,
    metrics: { [STRANGE]: 1 },
    example: [{ colour: STRANGE }],
  };
  api.models.live = new LiveModel(facts, served);
  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(`${address}/ui`);
  await page.getByRole('heading', { name: STRANGE }).waitFor();
  await page.getByRole('button', { name: 'Predict' }).click();
  await page
    .getByText(/expected/)
    .first()
    .waitFor();
  expect(await page.title()).toContain('<script>');
  expect(await page.locator('img').count()).toBe(0);
  expect(new Set(requests)).toEqual(
    new Set(['/ui', '/ui/page.css', '/ui/page.js', '/ui/live.json', '/predict']),
  );
});

test('the policy lets nothing run that is written into the page', async () => {
  await open();
  const answer = await page.goto(`${address}/ui`);
  expect(answer?.headers()['content-security-policy']).toBe(PAGE_POLICY);
  expect(PAGE_POLICY).not.toMatch(/unsafe|http|\*/);
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  await page.evaluate(
    `document.body.append(Object.assign(document.createElement('script'), { textContent: "document.title = 'owned'" }))`,
  );
  expect(await page.title()).toBe('sizes, version 3');
  expect(complaints.join()).toContain('Content Security Policy');
});

test('without a model it says what to do, and while MLflow is away it shows the rest', async () => {
  await open(null);
  await page.goto(`${address}/ui`);
  await page.getByText('No version has the alias').waitFor();
  api.models.live = new LiveModel(FACTS, new SmallModel());
  history = () => Promise.reject(new Error('connect ECONNREFUSED'));
  await page.getByText('Production is now version 3').waitFor();
  await page.getByRole('link', { name: 'Show it' }).click();
  await page.getByRole('heading', { name: 'sizes, version 3' }).waitFor();
  await page.getByText('MLflow does not tell at the moment').waitFor();
});

test('reads well in the dark and on a narrow screen: contrast, names, no sideways scrolling', async () => {
  await open();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto(`${address}/ui`);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    expect(await page.evaluate(LOW_CONTRAST)).toEqual([]);
  }
  // Every control has a name, every section a heading.
  const nameless = await page.evaluate(
    `[...document.querySelectorAll('input, select')].filter((control) => control.labels.length === 0).length`,
  );
  expect(nameless).toBe(0);
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
});

/** In the page: texts whose contrast with what is behind them is below 4.5 (WCAG 2.1, 1.4.3). */
const LOW_CONTRAST = `(() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : colour;
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!own || element.closest('noscript, [hidden]') !== null) continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(element.tagName + ' ' + element.textContent.slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  return poor;
})()`;
