import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { ERRORS } from '../../contracts/errors';
import { WORKFLOW } from '../../contracts/names';
import { documentedCode } from '../client/documented-commands';
import { dashboards } from './dashboards';

// All sources are read.
jest.setTimeout(60_000);

const ROOT = path.resolve(__dirname, '..', '..');
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

const operations = read('docs/operations.md');
const runbooks = operations.slice(operations.indexOf('\n## Runbooks'));

/** Source files of a folder. */
const sourceOf = (folder: string): string =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => read(`${folder}/${name}`))
    .join('\n');

/** What writes the lines of a log, the fields of answers, and what commands say. */
const source = ['activities', 'client', 'integrations', 'serving', 'temporal', 'worker', 'workflows']
  .map(sourceOf)
  .join('\n');
const params = read('docs/params.md');
const variables = read('.env.example');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const { services } = parse(read('docker-compose.yml')) as { services: Record<string, unknown> };

const isQuoted = (text: string): boolean => ["'", '`', '"'].some((mark) => source.includes(`${mark}${text}`));

/** Programs of the machine, as they are typed. */
const PROGRAMS = /^(curl|df|dmesg|du|dvc gc|iostat|kubectl (get pods|describe pod))\b/;

/** What a piece of code names, and whether the product has it; the first that it looks like. */
const KINDS: readonly (readonly [kind: string, looks: RegExp, has: (code: string) => boolean])[] = [
  // By test/client/docs-commands.test.ts.
  ['a command', /^retrain /, () => true],
  ['a script', /^npm run (\S+)$/, (code) => Object.hasOwn(scripts, code.slice(8))],
  [
    'a service',
    /^docker compose (ps|logs|up -d) (\w+)$/,
    (code) => Object.hasOwn(services, code.split(' ').at(-1) ?? ''),
  ],
  ['a metric', /^retrain_/, (code) => source.includes(`'${code.replace(/\{.*/, '')}'`)],
  ['a program', PROGRAMS, () => true],
  ['a variable', /^[A-Z]+(_[A-Z]+)+$/, (code) => code in ERRORS || variables.includes(`${code}=`)],
  [
    'a route',
    /^((GET|POST) )?\/[a-z/]+$/,
    (code) => ["'", '`'].some((mark) => source.includes(`${mark}${code.replace(/^\w+ /, '')}${mark}`)),
  ],
  ['a file of the state', /^\.retrain\//, (code) => isStateFile(code)],
  ['a file', /^[a-z]+\/[a-z/.]+$/, (code) => existsSync(path.join(ROOT, code))],
  ['a parameter', /^(drift|serving|retry)\.[a-z._]+$/, (code) => params.includes(`\`${code}`)],
  ['a parameter', /^\w+: \w+$/, (code) => isParameter(code) || isField(code)],
  ['a workflow', /^[a-z]+[A-Z]\w+$/, (code) => isWorkflow(code) || isQuoted(code) || isField(`${code}: `)],
  ['names of figures', /^\w+_…$/, (code) => source.includes(`\`${code.slice(0, -1)}\${`)],
  ['a beginning', /…$/, (code) => isQuoted(code.replace(/ ?…$/, ''))],
  ['an attribute of Temporal', /^WorkflowType$/, () => true],
  ['words', /^/, (code) => isQuoted(code) || isField(`${code}: `) || isWorkflow(code)],
];

const isWorkflow = (code: string): boolean => (Object.values(WORKFLOW) as string[]).includes(code);
const isField = (code: string): boolean => {
  const [name = '', value = ''] = code.split(': ');
  return new RegExp(`\\b${name}\\b *[,:?}]`).test(source) && (value === '' || isQuoted(`${value}'`));
};
const isParameter = (code: string): boolean => params.includes(`.${code.split(':')[0]}\``);
const isStateFile = (code: string): boolean => {
  const name = code.replace(/^\.retrain\//, '').replace(/\/$/, '');
  const log = /^logs\/(\w+)\.log$/.exec(name)?.[1];
  const words = log === undefined ? name.split('/') : [log];
  return words.every((word) => isQuoted(`${word}'`) || source.includes(`${word}/`));
};

test('what the runbooks name is there: commands, metrics, variables, routes, files, fields and lines of the log', () => {
  const codes = [...new Set(documentedCode(runbooks).map(({ code }) => code))];
  expect(codes.length).toBeGreaterThan(70);
  const missing = codes.flatMap((code) => {
    const [kind, , has] = KINDS.find(([, looks]) => looks.test(code))!;
    return has(code) ? [] : [`${kind} that is not there: ${code}`];
  });
  expect(missing).toEqual([]);
});

test('the panels that they name are on a dashboard, and so are dashboards', () => {
  const titles = dashboards().flatMap(([, { title, panels }]) => [
    title.replace(/^retrain: /, ''),
    ...panels.map((panel) => panel.title),
  ]);
  const named = [...runbooks.matchAll(/(?<![\w`])_([A-Za-z][^_`]*)_(?![\w`])/g)].map(
    ([, title = '']) => title,
  );
  expect(named.length).toBeGreaterThan(8);
  const missing = named.filter(
    (title) => !titles.some((one) => one === title || one.startsWith(`${title},`)),
  );
  expect(missing).toEqual([]);
});

test.each([
  'retrain_alarms_shut',
  'GET /wealth',
  'RETRAIN_NO_SUCH',
  'stage began',
  'docker compose logs prometheux',
  'drift.nothing',
])('%s would be seen', (code) => {
  const [, , has] = KINDS.find(([, looks]) => looks.test(code))!;
  expect(has(code)).toBe(false);
});
