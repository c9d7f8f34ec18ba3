import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { testWith } from '../tools/needs';

const ROOT = path.resolve(__dirname, '..', '..');
const RULES = ['recording', 'alerts'].map((name) => path.join(ROOT, 'monitoring', 'rules', `${name}.yml`));

const TESTS = ['alerts.yml', 'alerts-of-days.yml'].map((name) => path.join(__dirname, name));

interface Alert {
  alert: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
}

const alerts = (
  parse(readFileSync(RULES[1] ?? '', 'utf8')) as { groups: { rules: Alert[] }[] }
).groups.flatMap(({ rules }) => rules);

interface RuleTest {
  alert_rule_test?: { alertname: string; exp_alerts?: object[] }[];
}

function promtool(...args: string[]): string {
  return execFileSync(process.env['RETRAIN_TEST_PROMTOOL'] ?? '', args, { encoding: 'utf8', stdio: 'pipe' });
}

testWith('prometheus')('Prometheus takes the rules, and the configuration that is for one machine', () => {
  expect(promtool('check', 'rules', ...RULES)).not.toMatch(/FAILED|duplicate/);
  expect(promtool('check', 'config', path.join(ROOT, 'monitoring', 'prometheus.yml'))).toContain(
    'is valid prometheus config file syntax',
  );
  // That of docker compose names the rules as its container sees them.
  expect(
    promtool('check', 'config', '--syntax-only', path.join(ROOT, 'monitoring', 'compose', 'prometheus.yml')),
  ).toContain('is valid prometheus config file syntax');
});

testWith('prometheus')('each alert fires when it should, and not before', () => {
  expect(promtool('test', 'rules', ...TESTS)).not.toContain('FAILED');
});

test('each alert is tested firing', () => {
  const fired = TESTS.flatMap((file) => (parse(readFileSync(file, 'utf8')) as { tests: RuleTest[] }).tests)
    .flatMap(({ alert_rule_test: cases = [] }) => cases)
    .filter(({ exp_alerts: expected = [] }) => expected.length > 0)
    .map(({ alertname }) => alertname);
  expect([...new Set(fired)].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
});

test('each alert says how bad it is, what it is, and where its runbook is; each runbook has an alert', () => {
  const operations = readFileSync(path.join(ROOT, 'docs', 'operations.md'), 'utf8');
  const runbooks = [...operations.matchAll(/^### (Retrain\w+)\n([\s\S]*?)(?=^##|(?![\s\S]))/gm)];
  expect(runbooks.map(([, name]) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  for (const { alert, labels, annotations } of alerts) {
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    expect(annotations.runbook_url).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'runbook_url']);
  }
  for (const [, name, text] of runbooks)
    for (const part of ['**What you see.**', '**What it means.**', '**Look.**', '**Do.**'])
      expect(`${name} ${text?.includes(part)} ${part}`).toBe(`${name} true ${part}`);
});
