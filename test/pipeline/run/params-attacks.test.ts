import fc from 'fast-check';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RetrainError } from '../../../contracts/errors';
import { dataInsideProject } from '../../../pipeline/run/inside-project';
import { loadParams } from '../../../pipeline/run/load-params';

const SECRET = 'hunter2-secret';
const GOOD = `experiment: iris
model: iris-classifier
data:
  path: data/iris.csv
  target: species
`;

let project: string;
let outside: string;
beforeEach(() => {
  project = realpathSync(mkdtempSync(path.join(tmpdir(), 'project-')));
  outside = realpathSync(mkdtempSync(path.join(tmpdir(), 'outside-')));
  writeFileSync(path.join(project, 'params.yaml'), GOOD);
  writeFileSync(path.join(project, '.env'), `PASSWORD=${SECRET}\n`);
  writeFileSync(path.join(outside, 'params.yaml'), `${GOOD}x-password: ${SECRET}\n`);
  writeFileSync(path.join(outside, 'secret.csv'), `a,species\n1,${SECRET}\n`);
});
afterEach(() => {
  rmSync(project, { recursive: true });
  rmSync(outside, { recursive: true });
});

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RetrainError);
  const { message, exitCode } = error as RetrainError;
  expect(exitCode).toBe(2);
  expect(message).not.toContain('\n');
  expect(message).not.toContain(SECRET);
  expect(message.length).toBeLessThan(5000);
  return message;
}

describe('a trigger names only YAML files of the project', () => {
  it.each([
    ['.env', 'is no params file'],
    ['/proc/self/environ', 'is no params file'],
    ['/etc/passwd', 'is no params file'],
    ['signing.pem', 'is no params file'],
    ['params.yaml\u001b[31m', 'is no params file'],
    ['../nowhere.yaml', 'is not there'],
    ['nowhere.yaml', 'is not there'],
    ['folder.yaml', 'is no regular file'],
    ['link.yaml', 'leads out of the project, or to what is no YAML file'],
    ['env.yaml', 'leads out of the project, or to what is no YAML file'],
    ['linked/params.yaml', 'leads out of the project'],
    ['large.yaml', 'has 1048577 bytes, expected at most 1048576'],
  ])('%s', async (file, message) => {
    mkdirSync(path.join(project, 'folder.yaml'));
    symlinkSync(path.join(outside, 'params.yaml'), path.join(project, 'link.yaml'));
    symlinkSync(path.join(project, '.env'), path.join(project, 'env.yaml'));
    symlinkSync(outside, path.join(project, 'linked'));
    writeFileSync(path.join(project, 'large.yaml'), `#${'x'.repeat(1024 * 1024)}`);
    expect(await refusal(loadParams(project, file))).toContain(message);
  });

  it('by its absolute path as well', async () => {
    expect(await refusal(loadParams(project, path.join(outside, 'params.yaml')))).toContain('leads out');
    await expect(loadParams(project, path.join(project, 'params.yaml'))).resolves.toMatchObject({
      model: 'iris-classifier',
    });
  });

  it.each([
    ['a text', `PASSWORD=${SECRET}\n`],
    ['a list', `- ${SECRET}\n`],
    ['broken YAML', `a: [${SECRET}\n`],
    ['a plain text after a mapping', `a: b\n${SECRET}\n`],
    ['an unknown tag', `a: !${SECRET} 1\n  b: 2\n`],
    ['an alias without an anchor', `a: *${SECRET}\n`],
    ['two keys in a line', `a: b: ${SECRET}\n`],
  ])('which are told nothing of a file that is no params file: %s', async (_, text) => {
    writeFileSync(path.join(project, 'x.yaml'), text);
    expect(await refusal(loadParams(project, 'x.yaml'))).toMatch(/^x\.yaml/);
  });
});

describe('YAML', () => {
  it.each([
    [
      'an alias bomb',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefgh'
        .split('')
        .map(
          (k, i) =>
            `${k}: &${k} [${Array(9)
              .fill(`*${'abcdefg'[i] ?? ''}`)
              .join(',')}]`,
        )
        .join('\n')}\n`,
    ],
    ['an alias that holds itself', 'a: &a\n  b: *a\n'],
    ['an unresolved alias', `${GOOD}train: *none\n`],
    ['a merge of nothing', `${GOOD}train:\n  <<: *none\n`],
    ['a merge of a text', `${GOOD}train:\n  <<: text\n`],
    ['100,000 brackets', `a: ${'['.repeat(100_000)}\n`],
    ['10,000 levels', `${Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')}\n`],
  ])('%s is one line', async (_, text) => {
    writeFileSync(path.join(project, 'params.yaml'), text);
    await refusal(loadParams(project, 'params.yaml'));
  });

  it('merges keys and leaves x- keys to the user', async () => {
    writeFileSync(
      path.join(project, 'params.yaml'),
      `x-forest: &forest\n  n_estimators: 7\n  seed: 3\n${GOOD}train:\n  <<: *forest\n  seed: 4\n`,
    );
    await expect(loadParams(project, 'params.yaml')).resolves.toMatchObject({
      train: { n_estimators: 7, seed: 4 },
    });
  });

  it('whatever the bytes: a params file, or one line of error', async () => {
    const bits = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      '{',
      '*a',
      '&a ',
      '<<: ',
      '!!binary ',
      '"',
      "'",
      '|',
      '>',
      '---\n',
      '%',
      '@',
      '\t',
      '\0',
      'é',
      '? ',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(bits, { maxLength: 60 }).map((all) => all.join('')),
          fc.string({ unit: 'binary' }),
        ),
        async (text) => {
          writeFileSync(path.join(project, 'params.yaml'), text);
          await refusal(loadParams(project, 'params.yaml'));
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('overrides', () => {
  it.each([
    ['a prototype', JSON.parse('{"__proto__": {"model": "x"}}') as Record<string, unknown>],
    [
      'a prototype further down',
      JSON.parse('{"train": {"__proto__": {"seed": 1}}}') as Record<string, unknown>,
    ],
    ['a constructor', { constructor: { prototype: {} } }],
    ['too many levels', JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) as Record<string, unknown>],
    ['too many characters', { model: 'x'.repeat(300_000) }],
  ])('that hold %s are refused', async (_, overrides) => {
    expect(await refusal(loadParams(project, 'params.yaml', overrides))).toMatch(/^overrides: /);
    expect(({} as Record<string, unknown>)['model']).toBeUndefined();
  });

  it('whatever the JSON: params, or one line of error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom('train', 'data', 'model', '__proto__', 'x', 'gate'), fc.jsonValue()),
        async (overrides) => {
          await loadParams(project, 'params.yaml', overrides).catch((error: unknown) => {
            expect(error).toBeInstanceOf(RetrainError);
            expect((error as RetrainError).message).not.toContain('\n');
          });
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('data stay inside the project, wherever links lead', () => {
  it.each(['../x.csv', '/etc/passwd', 'data/../../x.csv'])('%s', async (file) => {
    expect(await refusal(dataInsideProject(project, file, 'params.yaml'))).toContain(
      'must stay inside the project',
    );
  });

  it('a link to a file or folder outside', async () => {
    mkdirSync(path.join(project, 'data/below'), { recursive: true });
    symlinkSync(path.join(outside, 'secret.csv'), path.join(project, 'link.csv'));
    symlinkSync(outside, path.join(project, 'linked'));
    for (const file of ['link.csv', 'linked', 'linked/secret.csv']) {
      expect(await refusal(dataInsideProject(project, file, 'params.yaml'))).toBe(
        `params.yaml: data.path: ${file} is a link that leads out of the project; copy or mount the data below it`,
      );
    }
    symlinkSync(path.join(outside, 'secret.csv'), path.join(project, 'data/below/a.csv'));
    expect(await refusal(dataInsideProject(project, 'data', 'params.yaml'))).toContain(
      'data/below/a.csv is a link',
    );
  });

  it('links within the project, and into DVC’s cache elsewhere, are fine', async () => {
    mkdirSync(path.join(project, 'data'));
    mkdirSync(path.join(project, '.dvc'));
    writeFileSync(path.join(project, '.dvc/config'), `[cache]\n    dir = ${outside}\n`);
    symlinkSync(path.join(outside, 'secret.csv'), path.join(project, 'data/cached.csv'));
    writeFileSync(path.join(project, 'own.csv'), 'a,y\n');
    symlinkSync('../own.csv', path.join(project, 'data/own.csv'));
    await expect(dataInsideProject(project, 'data', 'params.yaml')).resolves.toBe(path.join(project, 'data'));
  });
});
