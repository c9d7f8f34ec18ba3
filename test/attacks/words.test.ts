import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { cleaned } from '../../activities/notice-activities';
import { toFailure } from '../../activities/failure-interceptor';
import { resultLines, resultMarkdown } from '../../client/terminal/result-lines';
import { printable } from '../../client/terminal/screen';
import { stageLine, stageLines } from '../../client/terminal/stage-lines';
import { RetrainError } from '../../contracts/errors';
import { markdownWords, plainLine, plainWords } from '../../contracts/plain-words';
import { parseProgressLine } from '../../contracts/progress-line';
import { type TrainingResult } from '../../contracts/run';
import { readPipelineFile } from '../../integrations/dvc/pipeline-file';
import { plainText } from '../../integrations/notify/notice-text';
import { slackMessage } from '../../integrations/notify/slack-channel';
import { reportHtml } from '../../ml/report/report-html';
import { reportMarkdown } from '../../ml/report/report-markdown';
import { notice } from '../integrations/notify/notice';

/** Words of a stranger: any characters, and those that terminals and pages obey more often than by chance. */
const words = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.constantFrom(
        '\u001b[2J',
        '\u001b]0;owned\u0007',
        '\u001b]8;;http://evil.example\u0007click\u001b]8;;\u0007',
        '\u009b31m',
        '\r\n',
        '\u0008\u0008',
        '\u202egpj.exe',
        '\u2028',
        '[click](http://evil.example)',
        '![](http://evil.example/seen.png)',
        '<img src=x onerror=alert(1)>',
        '| a | b |',
        '`',
        '\u001b[5A',
        'toString',
        '__proto__',
      ),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));

/** No command to a terminal; `ours`: but our own colours. */
const CONTROL = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;

const everywhere = (says: (text: string) => string | readonly string[]): void => {
  fc.assert(
    fc.property(words, (text) => {
      const said = says(text);
      for (const line of typeof said === 'string' ? [said] : said) expect(line).not.toMatch(CONTROL);
    }),
    { numRuns: 100 },
  );
};

const HASH = 'a'.repeat(64);
const result = (text: string): TrainingResult => ({
  ...{ outcome: 'gate_failed', model: text, modelVersion: text, alias: null, reason: text, warnings: [text] },
  ...{ pipelineKey: HASH, dataHash: HASH, paramsHash: HASH, codeHash: HASH, gitCommit: '' },
  ...{ workflowId: text, workflowRunId: 'r', mlflowRunId: 'm', mlflowExperimentId: '1' },
  metrics: { [text]: 1 },
  gate: [{ metric: text, least: 2, value: 1, passed: false }],
  champion: { version: text, metrics: {} },
  stageMs: {},
  finishedAt: '',
});
const LINKS = { temporal: null, mlflow: 'http://m', model: 'http://v' };

const report = (text: string): Parameters<typeof reportHtml>[0] => ({
  model: text,
  version: text,
  outcome: 'staged',
  reason: text,
  championVersion: null,
  lineage: { [text]: text },
  gate: [],
  evaluation: {
    candidate: {
      metrics: { accuracy: 1 },
      perClass: [{ label: text, precision: 1, recall: 1, f1: 1, support: 1 }],
      confusion: [[1]],
    },
    champion: null,
    championError: text,
    rows: 1,
  },
  profile: {
    rows: 1,
    rowsRead: 1,
    target: text,
    columns: [{ kind: 'text', name: text, missing: 0, distinct: 1, top: [{ value: text, rows: 1 }] }],
    warnings: [{ kind: 'leakage', message: text }],
    notes: [text],
  },
  training: { importances: [{ feature: text, importance: 1 }] },
});

describe('whatever a stranger says reaches nobody as a command', () => {
  test('as an error of ours', () => everywhere((text) => new RetrainError('STAGE_FAILED', text).message));
  test('as an error of something else, in a failure', () =>
    everywhere((text) => (toFailure(new Error(text), null) as Error).message));
  test('as a progress report', () =>
    everywhere((text) => parseProgressLine(JSON.stringify({ phase: text }))?.phase ?? ''));
  test('as a result on the command line', () =>
    everywhere((text) => uncoloured(printable(resultLines(result(text), LINKS, null).join('\n')))));
  test('as stages on the command line', () =>
    everywhere((text) => {
      const stage = { stage: 'train' as const, state: 'running' as const, note: text };
      const beats = new Map([['train', { phase: text }]]);
      return [...stageLines({ state: 'running', stages: [stage] }, beats, 0), stageLine(stage)].map((line) =>
        uncoloured(printable(line)),
      );
    }));
  test('as a summary in Markdown', () =>
    everywhere((text) => resultMarkdown(result(text), LINKS).split('\n')));
  test('on the board of the Web UI', () => everywhere(markdownWords));
  test('as a report in Markdown', () => everywhere((text) => reportMarkdown(report(text))));
  test('as a report for browsers', () => everywhere((text) => reportHtml(report(text))));
  test('as a notice by mail', () =>
    everywhere((text) => plainText(cleaned(notice({ title: text, text, metrics: { [text]: 1 } })))));
  test('as a notice in a chat', () =>
    everywhere((text) => JSON.stringify(slackMessage(cleaned(notice({ title: text, text }))))));
});

test('words that are plain stay as they are, and cleaning twice is cleaning once', () => {
  fc.assert(
    fc.property(words, (text) => {
      expect(plainWords(plainWords(text))).toBe(plainWords(text));
      if (!CONTROL.test(text)) expect(plainWords(text).length).toBe(text.length);
    }),
  );
  expect(plainWords('größe: 雪, “ja”\tund\nnein – 5 °C 👍🏽')).toBe('größe: 雪, “ja”\tund\nnein – 5 °C 👍🏽');
});

test('Markdown has no links, pictures, code, cells or tags of a stranger', () => {
  fc.assert(
    fc.property(words, (text) => {
      expect(markdownWords(text).replace(/\\[\\`*[\]<>|~]/g, '')).not.toMatch(/[\\`*[\]<>|\n]/);
    }),
  );
});

test('our own colours stay; what a stranger has the terminal do does not', () => {
  const own = '\u001b[32mgood\u001b[39m';
  expect(printable(own)).toBe(own);
  expect(printable('\u001b[3A\u001b[2K\u001b[8mhidden')).toBe('?[3A?[2K?[8mhidden');
  expect(plainLine('two\r\nlines')).toBe('two lines');
});

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[(1|2|22|31|32|36|39)m`, 'g');

/** Without our own colours. */
function uncoloured(text: string): string {
  return text.replace(COLOUR, '');
}

test('a header with line ends in it is named on one line', () => {
  const { message } = new RetrainError('DATA_INVALID', 'd.csv:1: the columns are "a\r\nb", c\td');
  expect(message).toBe('d.csv:1: the columns are "a b", c d');
});

test('a key in a file of DVC’s that is a list is no warning on the terminal', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'words-'));
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  try {
    writeFileSync(path.join(folder, 'dvc.yaml'), 'stages: {}\n? ["\\e[2J"]\n: 1\n');
    await readPipelineFile(path.join(folder, 'dvc.yaml')).catch(() => undefined);
    expect(warned).not.toHaveBeenCalled();
  } finally {
    warned.mockRestore();
    rmSync(folder, { recursive: true });
  }
});
