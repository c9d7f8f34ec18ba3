import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '..', '..');
const dir = mkdtempSync(path.join(tmpdir(), 'check-packages-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function check(packages?: Record<string, object>): { status: number | null; told: string } {
  const lock = path.join(dir, 'package-lock.json');
  if (packages !== undefined) writeFileSync(lock, JSON.stringify({ packages: { '': {}, ...packages } }));
  const args = ['scripts/check-packages.mjs', ...(packages === undefined ? [] : [lock])];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  return { status, told: stdout + stderr };
}

describe('what the lock file brings along', () => {
  test('has licences that are allowed, and no install script that nobody looked at', () => {
    const { status, told } = check();
    expect(told).toMatch(/^\d{3,} packages: /);
    expect(status).toBe(0);
  });

  test.each([
    ['GPL-3.0-only', 1],
    ['(MIT OR GPL-3.0-only)', 0],
    ['MIT AND GPL-3.0-only', 1],
    ['Apache-2.0 AND (BSD-3-Clause OR GPL-2.0)', 0],
    ['SEE LICENSE IN LICENSE', 1],
    [undefined, 1],
  ])('with a package under %s: exit code %i', (license, code) => {
    const { status, told } = check({ 'node_modules/a/node_modules/@b/c': { version: '1.0.0', license } });
    expect(status).toBe(code);
    if (code === 1) expect(told).toMatch(/^error: @b\/c 1\.0\.0: its licence is /);
  });

  test('with a package that runs a script fails, by its name', () => {
    const { status, told } = check({
      'node_modules/evil': { version: '1.0.0', license: 'MIT', hasInstallScript: true },
    });
    expect([status, told]).toEqual([1, expect.stringMatching(/^error: evil 1\.0\.0: runs a script/)]);
  });

  test('is installed without scripts, wherever it is installed', () => {
    expect(readFileSync(path.join(ROOT, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
    for (const file of ['scripts/setup.sh', 'images/worker/Dockerfile', 'images/stage/Dockerfile']) {
      const text = readFileSync(path.join(ROOT, file), 'utf8');
      const calls = text.split('\n').filter((line) => /\bnpm ci\b(?! &&|')/.test(line));
      for (const call of calls) expect(call).toContain('--ignore-scripts');
    }
  });

  test('is listed in a CycloneDX bill of materials by one command', () => {
    const file = path.join(dir, 'sbom.json');
    const { status } = spawnSync('make', ['--no-print-directory', 'sbom', `SBOM=${file}`], { cwd: ROOT });
    expect(status).toBe(0);
    const bill = JSON.parse(readFileSync(file, 'utf8')) as {
      bomFormat: string;
      components: { name: string; group?: string; version: string; purl: string }[];
    };
    expect(bill.bomFormat).toBe('CycloneDX');
    const { version } = JSON.parse(
      readFileSync(path.join(ROOT, 'node_modules/@temporalio/worker/package.json'), 'utf8'),
    ) as { version: string };
    expect(bill.components.map(({ purl }) => purl)).toContain(`pkg:npm/%40temporalio/worker@${version}`);
    expect(bill.components.some(({ purl }) => purl.startsWith('pkg:npm/jest@'))).toBe(false);
  });
});
