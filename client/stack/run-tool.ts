import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Environment } from '../../integrations/files/dot-env';

export interface ToolRun {
  command: string;
  args: string[];
  cwd: string;
  env: Environment;
  /** Its output is appended here. */
  logFile: string;
  onLine?: (line: string) => void;
}

/**
 * Runs an installer to its end.
 *
 * @returns whether it succeeded; the log says why not
 */
export async function runTool(tool: ToolRun): Promise<boolean> {
  const log = createWriteStream(tool.logFile, { flags: 'a' });
  log.write(`$ ${[tool.command, ...tool.args].join(' ')}\n`);
  const child = spawn(tool.command, tool.args, {
    cwd: tool.cwd,
    env: tool.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      tool.onLine?.(line);
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      log.write(`${error.message}\n`);
      resolve(null);
    });
    child.once('close', resolve);
  });
  await new Promise<void>((resolve) => {
    log.end(resolve);
  });
  return code === 0;
}
