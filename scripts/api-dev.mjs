#!/usr/bin/env node
// Serves the production model, and starts again whenever the compiler has written something else: `make api-dev`. While the code does not
// compile, what served before goes on. Arguments are those of `retrain serve`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const serve = [path.join(root, 'dist', 'client', 'main.js'), 'serve', ...process.argv.slice(2)];

// What it knows of the last time lies beside what it wrote, so that `make clean` takes both away.
const compiler = spawn(
  process.execPath,
  [
    ...[
      path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      path.join(root, 'tsconfig.build.json'),
    ],
    ...['--watch', '--preserveWatchOutput', '--pretty', 'false'],
    ...['--incremental', '--tsBuildInfoFile', path.join(root, 'dist', 'api-dev.tsbuildinfo')],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
compiler.stdout.setEncoding('utf8');

let server;
let ending = false;
/** One restart after the other. */
let last = Promise.resolve();

async function stop() {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}

function restart() {
  last = last.then(async () => {
    await stop();
    if (ending) return;
    server = spawn(process.execPath, serve, { cwd: root, stdio: 'inherit' });
  });
}

async function end(code) {
  if (ending) return;
  ending = true;
  compiler.kill('SIGTERM');
  await last;
  await stop();
  process.exit(code);
}

let line = '';
compiler.stdout.on('data', (text) => {
  process.stdout.write(text);
  line += text;
  const lines = line.split('\n');
  line = lines.pop() ?? '';
  for (const one of lines) if (/Found 0 errors/.test(one)) restart();
});
compiler.on('exit', (code) => void end(code ?? 1));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0));
