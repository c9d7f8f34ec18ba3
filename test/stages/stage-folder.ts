import { buildSync } from 'esbuild';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** Entry points as a thread or a process runs them: plain JavaScript, made from the sources at hand. */
export class CompiledStages {
  readonly #dir: string;

  constructor() {
    const cache = join(ROOT, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    // Inside node_modules, so that the packages are found from there.
    this.#dir = mkdtempSync(join(cache, 'stages-'));
    buildSync({
      absWorkingDir: ROOT,
      entryPoints: ['stages/thread-entry.ts', 'stages/main.ts', 'stages/in-process.ts'],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      packages: 'external',
      outdir: this.#dir,
      logLevel: 'error',
    });
  }

  get threadEntry(): string {
    return join(this.#dir, 'thread-entry.js');
  }

  get main(): string {
    return join(this.#dir, 'main.js');
  }

  get inProcess(): string {
    return join(this.#dir, 'in-process.js');
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** A folder of the stage contract. */
export class StageFolder {
  readonly dir = mkdtempSync(join(tmpdir(), 'stage-'));

  constructor(params: unknown, inputs: Readonly<Record<string, string | Buffer>> = {}) {
    mkdirSync(join(this.dir, 'in'));
    mkdirSync(join(this.dir, 'out'));
    writeFileSync(join(this.dir, 'params.json'), JSON.stringify(params));
    for (const [name, content] of Object.entries(inputs)) writeFileSync(join(this.dir, 'in', name), content);
  }

  /** Takes over an output of another stage, or any file, as an input. */
  take(name: string, from: string): this {
    copyFileSync(from, join(this.dir, 'in', name));
    return this;
  }

  out(name: string): string {
    return join(this.dir, 'out', name);
  }

  bytes(name: string): Buffer {
    return readFileSync(this.out(name));
  }

  json(name: string): unknown {
    return JSON.parse(this.bytes(name).toString());
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export const IRIS = join(ROOT, 'data/iris.csv');

export const PREPROCESS = {
  data: { path: 'data/iris.csv', target: 'species' },
  preprocess: {},
  task: 'classification',
};
