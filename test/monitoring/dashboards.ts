import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const DASHBOARDS = path.resolve(__dirname, '..', '..', 'monitoring', 'grafana', 'dashboards');

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig?: { defaults: { unit: string } };
  targets?: { refId: string; expr: string; datasource: { uid: string } }[];
}

export interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  panels: Panel[];
  annotations: { list: { expr: string; datasource: { uid: string } }[] };
  templating: { list: { name: string; definition: string; datasource: { uid: string } }[] };
}

/** The dashboards, by file name. */
export function dashboards(): [string, Dashboard][] {
  return readdirSync(DASHBOARDS).map((name) => [
    name,
    JSON.parse(readFileSync(path.join(DASHBOARDS, name), 'utf8')) as Dashboard,
  ]);
}

/** What each panel asks Prometheus, by `dashboard: panel, A`; rows ask nothing. */
export function queries(): [string, string][] {
  return dashboards().flatMap(([, { title, panels }]) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ refId, expr }): [string, string] => [
        `${title}: ${panel.title}, ${refId}`,
        expr,
      ]),
    ),
  );
}
