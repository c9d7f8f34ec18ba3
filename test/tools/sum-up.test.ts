import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { transformFileSync } from '@swc/core';

const SCRIPT = path.join(__dirname, 'sum-up.mjs');

interface Outcome {
  passed?: number;
  failed?: number;
  broken?: number;
  skipped?: readonly string[];
}

describe('the last lines of make test', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'retrain-sum-up-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  function report(project: string, { passed = 0, failed = 0, broken = 0, skipped = [] }: Outcome): void {
    const assertionResults = skipped.map((fullName) => ({ status: 'pending', fullName }));
    const counts = {
      ...{ numPassedTests: passed, numFailedTests: failed, numRuntimeErrorTestSuites: broken },
      ...{
        numPendingTests: skipped.length,
        numTodoTests: 0,
        testResults: [{ status: 'passed', assertionResults }],
      },
    };
    writeFileSync(path.join(dir, `${project}.json`), JSON.stringify(counts));
  }

  /** @param testResults as Jest writes them */
  function results(project: string, numFailedTests: number, testResults: object[]): void {
    const none = { numPassedTests: 0, numRuntimeErrorTestSuites: 0, numPendingTests: 0, numTodoTests: 0 };
    writeFileSync(
      path.join(dir, `${project}.json`),
      JSON.stringify({ ...none, numFailedTests, testResults }),
    );
  }

  function sumUp(...projects: string[]): { code: number | null; lines: string[] } {
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, dir, ...projects], { encoding: 'utf8' });
    return { code: status, lines: stdout.trim().split('\n') };
  }

  test('add up what the projects counted', () => {
    report('unit', { passed: 5 });
    report('integration', { passed: 3 });
    expect(sumUp('unit', 'integration')).toEqual({
      code: 0,
      lines: ['Tests: 8 passed, 0 failed, 0 skipped'],
    });
  });

  test('count a suite that did not load, and a project that did not end, as failures', () => {
    report('unit', { passed: 5, failed: 1, broken: 1 });
    expect(sumUp('unit', 'tools')).toEqual({
      code: 1,
      lines: ['Failed: the tools tests did not run to their end', 'Tests: 5 passed, 3 failed, 0 skipped'],
    });
  });

  test('name each test that failed, with the head of its message', () => {
    const message = ['\u001b[31mexpected 1\u001b[39m', ...Array.from({ length: 20 }, (_, i) => `at ${i}`)];
    results('unit', 1, [
      {
        name: path.resolve('test/a.test.ts'),
        status: 'failed',
        message: 'all of it',
        assertionResults: [
          { status: 'passed', fullName: 'it works', failureMessages: [] },
          { status: 'failed', fullName: 'it adds up', failureMessages: [message.join('\n')] },
        ],
      },
    ]);
    results('tools', 1, [
      {
        name: path.resolve('test/b.test.ts'),
        status: 'failed',
        message: 'cannot find it',
        assertionResults: [],
      },
    ]);
    const { code, lines } = sumUp('unit', 'tools');
    expect(code).toBe(1);
    expect(lines.slice(0, 4)).toEqual(['Failed: test/a.test.ts', '  it adds up', '  expected 1', '  at 0']);
    expect(lines.slice(14)).toEqual([
      '  … 9 lines more',
      'Failed: test/b.test.ts',
      '  cannot find it',
      'Tests: 0 passed, 2 failed, 0 skipped',
    ]);
  });

  test('name what was skipped with its reason, in one line', () => {
    report('tools', {
      skipped: ['S3 [needs minio] lists', 'S3 [needs minio] reads', 'a stage [needs docker] runs'],
    });
    writeFileSync(path.join(dir, 'minio.reason'), 'Go is not on the PATH\n');
    writeFileSync(path.join(dir, 'docker.reason'), 'no engine answers\n');
    expect(sumUp('tools')).toEqual({
      code: 0,
      lines: [
        'Skipped: 2 for want of minio (Go is not on the PATH), 1 for want of docker (no engine answers)',
        'Tests: 0 passed, 0 failed, 3 skipped',
      ],
    });
  });

  test('fail when suites left something on the engine', () => {
    report('integration', { passed: 1 });
    writeFileSync(path.join(dir, 'left-over.txt'), 'container a\nvolume b\n');
    expect(sumUp('integration')).toEqual({
      code: 1,
      lines: [
        'Failed: left over on the Docker engine: container a, volume b',
        'Tests: 1 passed, 1 failed, 0 skipped',
      ],
    });
  });
});

describe('a test whose need is not met', () => {
  test('is skipped under a name that says what it needs, each row of a table too', () => {
    const program = `
      const register = [];
      const skip = Object.assign((name) => register.push(name), { each: (rows) => (name) => register.push(name + rows.length) });
      globalThis.test = { skip };
      globalThis.describe = { skip };
      const { testWith } = require(process.argv[1]);
      testWith('dvc', false)('pulls', () => undefined);
      testWith('dvc', false).each([1, 2])('pushes %i', () => undefined);
      console.log(JSON.stringify(register));
    `;
    const { code } = transformFileSync(path.join(__dirname, 'needs.ts'), {
      ...{ configFile: false, swcrc: false, module: { type: 'commonjs' } },
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    });
    const compiled = path.join(mkdtempSync(path.join(tmpdir(), 'retrain-needs-')), 'needs.cjs');
    writeFileSync(compiled, code);
    const { stdout } = spawnSync(process.execPath, ['--eval', program, compiled], { encoding: 'utf8' });
    rmSync(path.dirname(compiled), { recursive: true });
    expect(JSON.parse(stdout)).toEqual(['pulls [needs dvc]', 'pushes %i [needs dvc]2']);
  });
});
