import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = path.resolve(__dirname, '..', '..');

test('180 days of card prices: what drifts is alarmed, trained on, promoted and served', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'demo-loop-'));
  try {
    // It ends with 1, and says why, where the story does not come true.
    const { stdout } = await run(
      process.execPath,
      [path.join(ROOT, 'dist', 'scripts', 'demo-loop', 'main.js'), '--dir', path.join(dir, 'loop')],
      { cwd: ROOT, maxBuffer: 1 << 24 },
    );
    expect(stdout).toContain('before anything had changed no alarm');
    expect(stdout).toMatch(/level=1\.6: alarm after \d+ days?, v\d+ in production after/);
    expect(stdout).toMatch(/promotions=5: alarm after \d+ days?, v\d+ in production after/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 1_800_000);
