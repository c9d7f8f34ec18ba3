import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { dashboards, queries, type Panel } from './dashboards';

const PROVISIONING = path.resolve(__dirname, '..', '..', 'monitoring', 'grafana', 'provisioning');
const [source] = (
  parse(readFileSync(path.join(PROVISIONING, 'datasources', 'prometheus.yml'), 'utf8')) as {
    datasources: { uid: string; type: string }[];
  }
).datasources;

/** Those of Grafana 10 to 12 that we use; `graph`, `table-old` and `singlestat` are gone. */
const KINDS = ['row', 'stat', 'table', 'timeseries'];

const overlaps = (a: Panel['gridPos'], b: Panel['gridPos']): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

describe.each(dashboards())('the dashboard %s', (_file, dashboard) => {
  const { panels, templating, annotations } = dashboard;

  test('has panels of known kinds with numbers of their own, a title, a unit and a sentence each', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, title, description, fieldConfig, targets } of panels) {
      expect(KINDS).toContain(type);
      expect(title).not.toBe('');
      if (type === 'row') continue;
      expect(description).toMatch(/\.$/);
      expect(fieldConfig?.defaults.unit).toMatch(/^\w+$/);
      expect(targets?.map(({ refId }) => refId)).toEqual(
        targets?.map((_target, at) => String.fromCharCode(65 + at)),
      );
    }
  });

  test('asks the datasource that is provisioned, and nothing else', () => {
    const asked = [
      ...panels.flatMap(({ datasource, targets = [] }) => [
        ...(datasource === undefined ? [] : [datasource.uid]),
        ...targets.map((target) => target.datasource.uid),
      ]),
      ...templating.list.map(({ datasource }) => datasource.uid),
      ...annotations.list.map(({ datasource }) => datasource.uid),
    ];
    expect(new Set(asked)).toEqual(new Set([source?.uid]));
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
  });

  test('has panels side by side on 24 columns, none over another', () => {
    for (const [at, { gridPos }] of panels.entries()) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (const other of panels.slice(at + 1)) expect(overlaps(gridPos, other.gridPos)).toBe(false);
    }
  });

  test('uses variables that it has', () => {
    const names = templating.list.map(({ name }) => name);
    const known = [...names, '__rate_interval', '__range'];
    const text = JSON.stringify(panels.map(({ targets }) => targets));
    for (const [, name = ''] of text.matchAll(/\$(\w+)/g)) expect(known).toContain(name);
  });
});

test('dashboards have ids of their own', () => {
  const ids = dashboards().map(([, { uid }]) => uid);
  expect(new Set(ids).size).toBe(ids.length);
});

test('dashboards, alerts and rules ask for metrics that there are', () => {
  const sources = ['worker/telemetry', 'serving/api/metrics.ts'].map((file) =>
    path.resolve(__dirname, '..', '..', file),
  );
  const code = sources
    .flatMap(filesIn)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const rules = ['recording', 'alerts'].map((name) =>
    readFileSync(path.resolve(__dirname, '..', '..', 'monitoring', 'rules', `${name}.yml`), 'utf8'),
  );
  const asked = [...queries().map(([, expr]) => expr), ...rules].join('\n');
  const names = new Set([...asked.matchAll(/\bretrain_[a-z_]+/g)].map(([name]) => name));
  expect(names.size).toBeGreaterThan(30);
  for (const name of names) {
    const bare = name.replace(/_(bucket|sum|count)$/, '');
    expect(`${name}: ${code.includes(`'${name}'`) || code.includes(`'${bare}'`)}`).toBe(`${name}: true`);
  }
});

function filesIn(place: string): string[] {
  if (place.endsWith('.ts')) return [place];
  return readdirSync(place).map((name) => path.join(place, name));
}
