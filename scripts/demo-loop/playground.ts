import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseDocument } from 'yaml';
import { freePort } from '../../client/stack/ports';

const ROOT = path.resolve(__dirname, '..', '..', '..');
const EXAMPLE = path.join(ROOT, 'examples', 'card-prices');
const RETRAIN = path.join(ROOT, 'bin', 'retrain');
/** What the price service is asked with; it is this machine's own. */
const KEY = 'demo-loop';

/** A project of its own with servers of its own, which nothing else on this machine notices. */
export class Playground {
  private constructor(
    readonly dir: string,
    readonly env: NodeJS.ProcessEnv,
    private readonly service: ChildProcess,
  ) {}

  /**
   * A copy of examples/card-prices in `dir` (which is emptied), a price service for it, and a stack without an API.
   *
   * @param shifts as market.mjs reads them: `90:level=1.6`
   * @param change what of params.yaml becomes something else, by dotted key
   */
  static async open(
    dir: string,
    shifts: readonly string[],
    change: (serviceUrl: string, sql: string) => Record<string, unknown>,
  ): Promise<Playground> {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    for (const name of ['params.yaml', 'market.mjs', 'server.mjs'])
      cpSync(path.join(EXAMPLE, name), path.join(dir, name));
    const { service, url } = await startService(dir, shifts);
    editParams(path.join(dir, 'params.yaml'), (sql) => change(url, sql));
    const ports = await Promise.all(Array.from({ length: 3 }, freePort));
    const env = {
      ...process.env,
      ...{ CARD_PRICES_API_KEY: KEY, RETRAIN_STATE_DIR: path.join(dir, '.retrain') },
      ...{
        RETRAIN_COLLECT_HOSTS: new URL(url).host,
        RETRAIN_COLLECT_ENV: `CARD_PRICES_API_KEY@${new URL(url).host}`,
      },
      ...{
        RETRAIN_TEMPORAL_PORT: `${ports[0]}`,
        RETRAIN_TEMPORAL_UI_PORT: `${ports[1]}`,
        RETRAIN_MLFLOW_PORT: `${ports[2]}`,
      },
      ...{ TEMPORAL_ADDRESS: undefined, MLFLOW_TRACKING_URI: undefined, RETRAIN_PROJECT_ID: 'demo-loop' },
    };
    const playground = new Playground(dir, env, service);
    try {
      playground.retrain('up', '--no-api');
    } catch (error) {
      playground.close();
      throw error;
    }
    return playground;
  }

  /** Runs the command as its user would. @returns what it printed @throws Error with what it said */
  retrain(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, [RETRAIN, ...args], {
      cwd: this.dir,
      env: { ...this.env, NO_COLOR: '1' },
      encoding: 'utf8',
    });
    if (status === 0) return stdout;
    throw new Error(`retrain ${args.join(' ')} ended with ${status}: ${stderr || stdout}`);
  }

  /** Stops what was started; the folder stays, to be looked at. */
  close(): void {
    this.service.kill();
    this.retrain('down');
  }
}

async function startService(
  dir: string,
  shifts: readonly string[],
): Promise<{ service: ChildProcess; url: string }> {
  const args = [
    'server.mjs',
    '--key',
    KEY,
    '--days',
    '400',
    ...shifts.flatMap((shift) => ['--shift', shift]),
  ];
  const service = spawn(process.execPath, args, { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: service.stdout })) return { service, url: line };
  throw new Error('the price service did not start');
}

function editParams(file: string, change: (sql: string) => Record<string, unknown>): void {
  const document = parseDocument(readFileSync(file, 'utf8'));
  const changes = change(String(document.getIn(['preprocess', 'sql'])));
  for (const [key, value] of Object.entries(changes)) document.setIn(key.split('.'), value);
  writeFileSync(file, document.toString());
}
