import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { putAside, putAsideWhenLarge } from '../../../integrations/files/log-rotation';

let dir: string;
let log: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'logs-'));
  log = path.join(dir, 'worker.log');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const kept = (): string[] => readdirSync(dir).sort();
const text = (name: string): string => readFileSync(path.join(dir, name), 'utf8');

describe('logs', () => {
  test('of five starts before are kept, the youngest as .1', () => {
    for (let start = 1; start <= 8; start++) {
      putAside(log);
      writeFileSync(log, `start ${start}`);
    }
    expect(kept()).toEqual(['worker.log', ...[1, 2, 3, 4, 5].map((number) => `worker.log.${number}`)]);
    expect([text('worker.log'), text('worker.log.1'), text('worker.log.5')]).toEqual([
      'start 8',
      'start 7',
      'start 3',
    ]);
  });

  test('that grow large are put aside while their writer goes on', async () => {
    const writer = await open(log, 'a');
    await writer.write('x'.repeat(100));
    expect(putAsideWhenLarge(log, 100)).toBe(false);
    await writer.write('y');
    expect(putAsideWhenLarge(log, 100)).toBe(true);
    await writer.write('after');
    await writer.close();
    expect(text('worker.log')).toBe('after');
    expect(text('worker.log.1')).toHaveLength(101);
    appendFileSync(log, 'z'.repeat(100));
    expect(putAsideWhenLarge(log, 100)).toBe(true);
    expect(kept()).toEqual(['worker.log', 'worker.log.1', 'worker.log.2']);
  });

  test('that are not there are no error', () => {
    putAside(log);
    expect(putAsideWhenLarge(log)).toBe(false);
  });
});
