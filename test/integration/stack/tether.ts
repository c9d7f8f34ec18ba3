import { spawn } from 'node:child_process';

/**
 * Ties a process group to this process: a shell waits at a pipe whose other end we hold, and ends the group when
 * the pipe closes. The kernel closes it however we end, so that nothing outlives an interrupted or killed test run.
 *
 * @returns unties it
 */
export function tether(group: number): () => void {
  // The one form of `kill` for a group that dash, bash and zsh all take.
  const script = 'read -r _; kill -TERM "-$1"; sleep 3; kill -KILL "-$1"';
  const guard = spawn('sh', ['-c', script, 'sh', String(group)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  return () => {
    guard.kill('SIGKILL');
  };
}
