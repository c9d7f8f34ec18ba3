import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Params } from '../../contracts/params';
import { dataInsideProject } from '../../pipeline/run/inside-project';
import { loadParams } from '../../pipeline/run/load-params';
import { checkedInput } from '../../workflows/training-input';
import { type Attack, describeAttacks } from './attack';

const SECRET = 'hunter2';

const GOOD = 'experiment: iris\nmodel: iris\ndata: { path: data/iris.csv, target: species }\n';

let project: string;
let outside: string;
beforeAll(() => {
  project = realpathSync(mkdtempSync(path.join(tmpdir(), 'project-')));
  outside = realpathSync(mkdtempSync(path.join(tmpdir(), 'outside-')));
  const put = (name: string, text: string): void => writeFileSync(path.join(project, name), text);
  put('params.yaml', GOOD);
  put('none.yaml', `${GOOD}triggers: { overrides: false }\n`);
  put('some.yaml', `${GOOD}triggers: { overrides: [train.n_estimators, preprocess.filter] }\n`);
  put('wrong.yaml', `${GOOD}triggers: { overrides: maybe }\n`);
  put('.env', `PASSWORD=${SECRET}\n`);
  put('signing.pem', SECRET);
  put('secret.yaml', `- ${SECRET}\n`);
  writeFileSync(path.join(outside, 'params.yaml'), `${GOOD}x-note: ${SECRET}\n`);
  symlinkSync(path.join(outside, 'params.yaml'), path.join(project, 'link.yaml'));
  mkdirSync(path.join(project, 'data'));
  put('data/iris.csv', 'a,species\n1,x\n');
  symlinkSync(path.join(project, '..'), path.join(project, 'data', 'up'));
  symlinkSync('/etc/passwd', path.join(project, 'data', 'link.csv'));
});
afterAll(() => {
  rmSync(project, { recursive: true });
  rmSync(outside, { recursive: true });
});

const trigger =
  (overrides: Record<string, unknown>, file = 'params.yaml') =>
  (): Promise<Params> =>
    loadParams(project, file, overrides, 'trigger');

const input = (value: unknown) => () => checkedInput(value);

const refusedKey = (name: string, overrides: Record<string, unknown>, key: string): Attack => ({
  name,
  attempt: trigger(overrides),
  code: 'CONFIG_INVALID',
  says: new RegExp(`^overrides: a trigger may not change ${key.replaceAll('.', '\\.')}, as .*--set`),
});

const file = (
  name: string,
  params: string,
  says: RegExp,
  code: Attack['code'] = 'CONFIG_INVALID',
): Attack => ({
  name,
  attempt: () => loadParams(project, params, {}, 'trigger'),
  code,
  says,
  hides: new RegExp(SECRET),
});

describeAttacks(
  'whoever can start a workflow',
  [
    refusedKey('brings SQL of their own', { preprocess: { sql: 'select 1' } }, 'preprocess.sql'),
    refusedKey('brings a filter of their own', { preprocess: { filter: 'true' } }, 'preprocess.filter'),
    refusedKey('takes the filter away', { preprocess: { filter: null } }, 'preprocess.filter'),
    refusedKey('takes a whole stage’s params away', { preprocess: null }, 'preprocess'),
    refusedKey(
      'has a stage run their image',
      { train: { executor: 'container', image: 'x/y' } },
      'train.image',
    ),
    refusedKey('gives a stage a network', { evaluate: { network: 'bridge' } }, 'evaluate.network'),
    refusedKey('mounts a folder', { train: { volumes: ['/srv:/data'] } }, 'train.volumes'),
    refusedKey('hands a stage the worker’s variables', { train: { env: ['STAGE_TOKEN'] } }, 'train.env'),
    refusedKey('has a stage run their command', { preprocess: { command: ['sh'] } }, 'preprocess.command'),
    refusedKey('needs no approval any more', { promote: { approval: 'none' } }, 'promote.approval'),
    refusedKey('approves their own run', { promote: { four_eyes: false } }, 'promote.four_eyes'),
    refusedKey('opens what triggers may change', { triggers: { overrides: true } }, 'triggers.overrides'),
    {
      name: 'changes a param where the file says that triggers change none',
      attempt: trigger({ train: { seed: 1 } }, 'none.yaml'),
      code: 'CONFIG_INVALID',
      says: /may not change train\.seed, as triggers\.overrides of params\.yaml is false/,
    },
    {
      name: 'changes a param that the file does not list',
      attempt: trigger({ train: { n_estimators: 1, seed: 1 } }, 'some.yaml'),
      code: 'CONFIG_INVALID',
      says: /may not change train\.seed, as triggers\.overrides of params\.yaml does not name it/,
    },
    {
      name: 'changes a param where the file’s list cannot be read',
      attempt: trigger({ train: { seed: 1 } }, 'wrong.yaml'),
      code: 'CONFIG_INVALID',
      says: /may not change train\.seed/,
    },
    {
      name: 'sends a key with escape sequences, for the terminal of who reads the error',
      attempt: trigger({ preprocess: { 'sql\u001b]0;x\u0007': 1, sql: 'x' } }),
      code: 'CONFIG_INVALID',
      says: /may not change preprocess\.sql/,
    },
    {
      name: 'sets what all objects inherit',
      attempt: trigger(JSON.parse('{"train": {"__proto__": {"seed": 1}}}') as Record<string, unknown>),
      code: 'CONFIG_INVALID',
      says: /__proto__ is no key/,
    },
    {
      name: 'nests overrides ten thousand deep',
      attempt: trigger(
        JSON.parse(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`) as Record<string, unknown>,
      ),
      code: 'CONFIG_INVALID',
      says: /nested deeper than 16/,
    },
    {
      name: 'sends a megabyte of overrides',
      attempt: trigger({ model: 'x'.repeat(1 << 20) }),
      code: 'CONFIG_INVALID',
      says: /more than 200000 characters/,
    },
    file('names .env as the params file', '.env', /is no params file/),
    file('names a process’s environment as the params file', '/proc/self/environ', /is no params file/),
    file('names a private key as the params file', 'signing.pem', /is no params file/),
    file('names a params file elsewhere', path.join('..', 'params.yaml'), /is not there/, 'CONFIG_NOT_FOUND'),
    file('names a link that leads out of the project', 'link.yaml', /leads out of the project/),
    file(
      'names a YAML file that is no params file, to read it in the error',
      'secret.yaml',
      /must hold a mapping/,
    ),
    {
      name: 'has /etc/passwd read as data, by a link',
      attempt: () => dataInsideProject(project, 'data/link.csv', 'params.yaml'),
      code: 'CONFIG_INVALID',
      says: /data\.path: data\/link\.csv is a link that leads out of the project/,
    },
    {
      name: 'has a folder read as data in which a link leads out',
      attempt: () => dataInsideProject(project, 'data', 'params.yaml'),
      code: 'CONFIG_INVALID',
      says: /is a link that leads out of the project/,
    },
    {
      name: 'has the folder above the project read as data',
      attempt: () => dataInsideProject(project, '../', 'params.yaml'),
      code: 'CONFIG_INVALID',
      says: /must stay inside the project/,
    },
    { name: 'sends a text', attempt: input('x'), code: 'CONFIG_INVALID', says: /must be a mapping/ },
    {
      name: 'sends a list',
      attempt: input([]),
      code: 'CONFIG_INVALID',
      says: /must be a mapping .*got a list/,
    },
    { name: 'sends null', attempt: input(null), code: 'CONFIG_INVALID', says: /got null/ },
    {
      name: 'sends an unknown key of a megabyte',
      attempt: input({ ['k'.repeat(1 << 20)]: 1 }),
      code: 'CONFIG_INVALID',
      says: /unknown key "k{40}"/,
    },
    {
      name: 'sends an unknown key that the terminal of who reads the error would obey',
      attempt: input({ '\u007f\u009b2J': 1 }),
      code: 'CONFIG_INVALID',
      says: /unknown key "\?\?2J"/,
    },
    {
      name: 'sends a specification without its parts',
      attempt: input({ spec: { params: {} } }),
      code: 'CONFIG_INVALID',
      says: /spec is not what a client made/,
    },
  ],
  async () => {
    await expect(trigger({ train: { n_estimators: 7 } })()).resolves.toMatchObject({
      train: { n_estimators: 7 },
    });
    await expect(dataInsideProject(project, 'data/iris.csv', 'params.yaml')).resolves.toContain('iris.csv');
  },
);

test('a list in the params file opens what is closed otherwise, and the command line may change everything', async () => {
  const filter = { preprocess: { filter: 'a > 0' } };
  await expect(trigger(filter, 'some.yaml')()).resolves.toMatchObject(filter);
  await expect(loadParams(project, 'none.yaml', filter)).resolves.toMatchObject(filter);
  await expect(trigger({}, 'none.yaml')()).resolves.toMatchObject({ triggers: { overrides: false } });
});
