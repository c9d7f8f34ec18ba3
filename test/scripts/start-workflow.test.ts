import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A checkout with the script, one example, and a CLI that prints its arguments. */
let checkout: string;

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'checkout-'));
  for (const folder of ['scripts', 'bin', 'examples/one', 'elsewhere'])
    mkdirSync(join(checkout, folder), { recursive: true });
  cpSync(join(__dirname, '../../scripts/start-workflow.mjs'), join(checkout, 'scripts/start-workflow.mjs'));
  writeFileSync(join(checkout, 'bin/retrain'), 'console.log(JSON.stringify(process.argv.slice(2)));');
  for (const folder of ['examples/one', 'elsewhere']) {
    const generator = `import { writeFileSync } from 'node:fs';
      writeFileSync(new URL('made', import.meta.url), process.argv.slice(2).join());
      console.log('made it');`;
    writeFileSync(join(checkout, folder, 'generate.mjs'), generator);
  }
});
afterEach(() => rmSync(checkout, { recursive: true }));

const start = (...args: string[]): { stdout: string; stderr: string; status: number | null } =>
  spawnSync(process.execPath, ['scripts/start-workflow.mjs', ...args], { cwd: checkout, encoding: 'utf8' });

test('an example makes its data first, and says so on stderr only', () => {
  const { stdout, stderr, status } = start('--params', 'examples/one/params.yaml', '--wait', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual(['start', '--params', 'examples/one/params.yaml', '--wait', '--json']);
  expect(stderr).toBe('made it\n');
  expect(existsSync(join(checkout, 'examples/one/made'))).toBe(true);
});

test('a generator that fails ends it', () => {
  writeFileSync(join(checkout, 'examples/one/generate.mjs'), 'process.exit(2)');
  expect(start('--params=examples/one/params.yaml')).toMatchObject({ status: 1, stdout: '' });
});

test.each([
  [['--wait']],
  [['--params', 'elsewhere/params.yaml']],
  [['--params', 'examples/../elsewhere/params.yaml']],
])('no code is run for %j', (args) => {
  expect(JSON.parse(start(...args).stdout)).toEqual(['start', ...args]);
  expect(existsSync(join(checkout, 'elsewhere/made'))).toBe(false);
});
