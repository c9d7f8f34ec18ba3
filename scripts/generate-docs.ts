/**
 * Writes docs/params.md, docs/errors.md and docs/json.md from the schemas and the table of errors. With `--check` it writes
 * nothing and fails when a file is not what it would write.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ERRORS, EXIT } from '../contracts/errors';
import { Params } from '../contracts/params';
import { jsonPage } from './json-page';

const DOCS = path.resolve(__dirname, '..', '..', 'docs');

interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: string | number | boolean;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  propertyNames?: JsonSchema;
  required?: string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  pattern?: string;
}

function paramsPage(): string {
  const schema = z.toJSONSchema(Params, { io: 'input' }) as JsonSchema;
  const sections = Object.entries(schema.properties ?? {}).map(([key, member]) =>
    section(key, member, schema),
  );
  return [
    '# params.yaml',
    '',
    'Everything a run depends on, in one file that is committed. Unknown keys are errors. Made from the schema by',
    '`npm run docs`; do not edit.',
    '',
    'The resolved form is hashed, with `data.path`, `retry`, `notify`, `triggers`, `serving`, `drift` and `collect` left out: where the data lies and',
    'comes from, how often a stage is tried, who is told and how a model is served and watched do not decide what comes out.',
    '',
    '| key | type | default | meaning |',
    '|---|---|---|---|',
    ...sections.flat(),
    '',
  ].join('\n');
}

function section(key: string, schema: JsonSchema, parent: JsonSchema): string[] {
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([name, member]) =>
      section(`${key}.${name}`, member, schema),
    );
  }
  const name = key.split('.').at(-1) ?? key;
  const required = parent.required?.includes(name) === true && schema.default === undefined;
  const byDefault = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
  const otherwise = required ? '*required*' : byDefault;
  return [
    `| \`${key}\` | ${cell(typeOf(schema))} | ${cell(otherwise)} | ${cell(schema.description ?? '')} |`,
  ];
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === 'object') {
    const values =
      typeof schema.additionalProperties === 'object' ? typeOf(schema.additionalProperties) : 'anything';
    const keys = schema.propertyNames?.enum === undefined ? 'name' : typeOf(schema.propertyNames);
    return `mapping of ${keys} to ${values}`;
  }
  const bounds = [
    schema.minimum === undefined ? '' : `≥ ${schema.minimum}`,
    schema.exclusiveMinimum === undefined ? '' : `> ${schema.exclusiveMinimum}`,
    schema.maximum === undefined ? '' : `≤ ${schema.maximum}`,
    schema.exclusiveMaximum === undefined ? '' : `< ${schema.exclusiveMaximum}`,
  ].filter((bound) => bound !== '');
  return [String(schema.type ?? 'anything'), ...bounds].join(' ');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function errorsPage(): string {
  const exits = Object.entries(EXIT).map(
    ([name, code]) => `| ${code} | ${EXIT_MEANING[name as keyof typeof EXIT]} |`,
  );
  const rows = Object.entries(ERRORS).map(
    ([code, { what, next, retryable, exit }]) =>
      `| \`${code}\` | ${cell(what)} | ${cell(next)} | ${retryable ? 'yes' : 'no'} | ${exit} |`,
  );
  return [
    '# Errors',
    '',
    'Made from the table in `contracts/errors.ts` by `npm run docs`; do not edit. Every message is one line: what failed, the value',
    'seen, what was expected, what to do next.',
    '',
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...exits,
    '| 130 | interrupted (Ctrl-C) while nothing had to be ended in order; what runs on a worker goes on |',
    '',
    '## Codes',
    '',
    'The code is the `type` of the failure in Temporal, and `error.code` in `--json` output. "Tried again" is what the worker does by',
    'itself when an activity fails with it.',
    '',
    '| code | what it means | what to do | tried again | exit |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const EXIT_MEANING: Record<keyof typeof EXIT, string> = {
  done: 'done',
  failed: 'failed',
  usage: 'bad usage, config or data: nothing was started',
  gateFailed:
    'the model did not meet the quality gate; of `retrain drift --fail-on-alarm`: something has drifted',
  unreachable: 'a service or a program that is needed is not there',
  cancelled: 'cancelled or rejected',
};

async function main(): Promise<void> {
  const check = process.argv.includes('--check');
  for (const [file, text] of [
    ['params.md', paramsPage()],
    ['errors.md', errorsPage()],
    ['json.md', jsonPage()],
  ] as const) {
    const target = path.join(DOCS, file);
    if (!check) {
      await writeFile(target, text);
      continue;
    }
    const current = await readFile(target, 'utf8').catch(() => '');
    if (current === text) continue;
    console.error(`docs/${file} is not what the code says; run \`npm run docs\` and commit it`);
    process.exitCode = 1;
  }
}

void main();
