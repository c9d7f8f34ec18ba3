import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { freePort, isPortFree } from '../../../client/stack/ports';
import { findProcess, groupMembers } from '../../../client/stack/process-table';
import { endGroup } from '../../../client/stack/server-process';
import type { BroughtUp } from '../../../client/stack/bring-up';
import type { Finding } from '../../../client/stack/examine';
import type { TakenDown } from '../../../client/stack/take-down';
import { readStackFile } from '../../../client/stack/stack-file';
import { readyWorkers } from '../../../integrations/files/worker-file';
import { TestProject } from '../pipeline/test-project';
import { nightly } from '../../tools/nightly';

jest.setTimeout(300_000);

/** A project that brings up servers of its own, on ports that are free. */
async function ownStack(): Promise<TestProject> {
  return new TestProject(
    {},
    {
      ...{ TEMPORAL_ADDRESS: '', TEMPORAL_UI_URL: '', MLFLOW_TRACKING_URI: '' },
      RETRAIN_TEMPORAL_PORT: String(await freePort()),
      RETRAIN_TEMPORAL_UI_PORT: String(await freePort()),
      RETRAIN_MLFLOW_PORT: String(await freePort()),
      RETRAIN_API_PORT: String(await freePort()),
    },
  );
}

async function json<T>(project: TestProject, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await project.cli([...args, '--json']);
  if (code !== 0) throw new Error(`${args.join(' ')} exited ${code}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as T;
}

function pidOf(project: TestProject, name: string): number {
  return (JSON.parse(readFileSync(project.path(`.retrain/run/${name}.pid`), 'utf8')) as { pid: number }).pid;
}

const states = ({ temporal, mlflow, worker, api }: BroughtUp): string[] => [
  temporal.state,
  mlflow.state,
  worker.state,
  api.state,
];

describe('retrain up and down', () => {
  let project: TestProject;

  beforeAll(async () => {
    project = await ownStack();
  });

  afterAll(async () => {
    await project.cli(['down']);
    await project.remove();
  });

  it('starts everything, and finds everything running the second time', async () => {
    expect(states(await json<BroughtUp>(project, 'up'))).toEqual([
      'started',
      'started',
      'started',
      'started',
    ]);
    const pids = ['temporal', 'mlflow', 'worker', 'api'].map((name) => pidOf(project, name));
    const again = await project.cli(['up']);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('The stack is up already.');
    expect(['temporal', 'mlflow', 'worker', 'api'].map((name) => pidOf(project, name))).toEqual(pids);
  });

  it('leaves a stack file by which the other commands find the servers', async () => {
    expect(readStackFile(project.path('.retrain'))).toMatchObject({
      temporal: { address: `127.0.0.1:${project.env['RETRAIN_TEMPORAL_PORT']}`, startedByUs: true },
      mlflow: { uri: `http://127.0.0.1:${project.env['RETRAIN_MLFLOW_PORT']}`, startedByUs: true },
      worker: { pid: pidOf(project, 'worker') },
      api: { uri: `http://127.0.0.1:${project.env['RETRAIN_API_PORT']}` },
    });
    const { result } = await project.start('--wait');
    expect(result).toMatchObject({ outcome: 'promoted', modelVersion: '1' });
  });

  it('keeps its state for its owner only, and out of git', () => {
    execFileSync('git', ['init', '--quiet', project.dir]);
    const shared = readdirSync(project.path('.retrain'), { recursive: true, encoding: 'utf8' }).filter(
      (name) => {
        const { mode } = statSync(project.path(`.retrain/${name}`));
        return (mode & 0o170000) === 0o100000 && (mode & 0o077) !== 0;
      },
    );
    expect(shared).toEqual([]);
    expect(statSync(project.path('.retrain')).mode & 0o777).toBe(0o700);
    execFileSync('git', ['-C', project.dir, 'add', '-A']);
    const added = execFileSync('git', ['-C', project.dir, 'ls-files'], { encoding: 'utf8' });
    expect(added).toContain('params.yaml');
    expect(added).not.toContain('.retrain');
    rmSync(project.path('.git'), { recursive: true });
  });

  it('is what doctor sees', async () => {
    const { findings } = await json<{ findings: Finding[] }>(project, 'doctor');
    const running = findings.filter(({ status }) => status === 'up').map(({ part }) => part);
    expect(running).toEqual(['Temporal server', 'MLflow server', 'Worker', 'API']);
  });

  nightly('heals what was killed, and nothing else', async () => {
    const [temporal, mlflow, worker] = [
      pidOf(project, 'temporal'),
      pidOf(project, 'mlflow'),
      pidOf(project, 'worker'),
    ];
    await endGroup(mlflow, 0);
    expect(states(await json<BroughtUp>(project, 'up'))).toEqual([
      'already running',
      'started',
      'already running',
      'already running',
    ]);
    expect(pidOf(project, 'mlflow')).not.toBe(mlflow);
    expect([pidOf(project, 'temporal'), pidOf(project, 'worker')]).toEqual([temporal, worker]);
  });

  it('starts a killed worker again, whatever it left in the state folder', async () => {
    process.kill(pidOf(project, 'worker'), 'SIGKILL');
    expect(states(await json<BroughtUp>(project, 'up'))[2]).toBe('started');
    expect(readyWorkers(project.path('.retrain')).map(({ pid }) => pid)).toEqual([pidOf(project, 'worker')]);
  });

  nightly(
    'starts the worker again when its environment has changed, says what, and keeps no value',
    async () => {
      const secret = 'tr0ub4dor-and-3';
      writeFileSync(project.path('.env'), `LOG_LEVEL=warn\nRETRAIN_WEBHOOK_SECRET=${secret}\n`);
      const changed = await json<BroughtUp>(project, 'up');
      expect(changed.worker).toMatchObject({ state: 'restarted', why: 'RETRAIN_WEBHOOK_SECRET changed' });
      const key = project.path('signing.pem');
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      writeFileSync(key, privateKey.export({ type: 'sec1', format: 'pem' }));
      appendFileSync(project.path('.env'), 'RETRAIN_SIGNING_KEY=signing.pem\n');
      expect((await json<BroughtUp>(project, 'up')).worker.why).toBe('RETRAIN_SIGNING_KEY changed');
      appendFileSync(key, '\n');
      expect((await json<BroughtUp>(project, 'up')).worker.why).toBe('RETRAIN_SIGNING_KEY changed');
      expect((await json<BroughtUp>(project, 'up')).worker.state).toBe('already running');
      for (const name of readdirSync(project.path('.retrain/run'))) {
        const file = project.path(`.retrain/run/${name}`);
        if (statSync(file).isFile()) expect(readFileSync(file, 'latin1')).not.toContain(secret);
      }
      rmSync(project.path('.env'));
      expect((await json<BroughtUp>(project, 'up')).worker.state).toBe('restarted');
    },
  );

  nightly('starts a worker again that does not get on, which doctor sees before', async () => {
    const pid = pidOf(project, 'worker');
    process.kill(pid, 'SIGSTOP');
    const { findings } = await json<{ findings: Finding[] }>(project, 'doctor');
    expect(findings.find(({ part }) => part === 'Worker')).toMatchObject({
      status: 'down',
      note: 'it is not well: it does not answer',
    });
    const { worker } = await json<BroughtUp>(project, 'up');
    expect(worker).toMatchObject({ state: 'restarted', why: 'it is not well, or does not answer' });
    expect(findProcess(pid)).toBeNull();
  });

  it('does not move a running server, and says what to do first', async () => {
    const { code, stderr } = await project.cli(['up', '--mlflow-port', String(await freePort())]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/MLflow already runs with other settings .*`retrain down` first/);
  });

  it('stops everything, leaves nothing running, and has nothing to do the second time', async () => {
    const groups = ['temporal', 'mlflow', 'worker', 'api'].map((name) => pidOf(project, name));
    const { stopped } = await json<TakenDown>(project, 'down');
    expect(stopped.sort()).toEqual(['API', 'MLflow', 'Temporal', 'Worker']);
    expect(groups.flatMap(groupMembers)).toEqual([]);
    expect(readStackFile(project.path('.retrain'))).toBeNull();
    expect((await project.cli(['down'])).stdout).toBe('Nothing was running.\n');
  });

  it('never stops a process that has a stale pid file’s pid', async () => {
    writeFileSync(
      project.path('.retrain/run/mlflow.pid'),
      JSON.stringify({ pid: process.pid, startedAt: '1', fingerprint: 'port 5000' }),
    );
    expect((await json<TakenDown>(project, 'down')).stopped).toEqual([]);
    expect(findProcess(process.pid)).not.toBeNull();
  });

  it('names a port that is taken, by whom, and how to move it, and starts nothing', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    for (const [flag, title] of [
      ['--mlflow-port', 'MLflow'],
      ['--temporal-ui-port', 'Temporal'],
    ] as const) {
      const { code, stderr } = await project.cli(['up', '--no-worker', flag, String(port)]);
      expect(code).toBe(2);
      expect(stderr).toMatch(
        new RegExp(
          `port ${port} on 127.0.0.1, which ${title} needs, is taken by .+ \\(process ${process.pid}\\).*${flag} or RETRAIN_`,
        ),
      );
      expect((await json<TakenDown>(project, 'down')).stopped).toEqual([]);
    }
    await new Promise((resolve) => other.close(resolve));
  });

  it('keeps its state: after down and up, the run is still there', async () => {
    expect(states(await json<BroughtUp>(project, 'up'))).toEqual([
      'started',
      'started',
      'started',
      'started',
    ]);
    const { how, result } = await project.start('--wait');
    expect(how).toBe('finished');
    expect(result).toMatchObject({ modelVersion: '1' });
  });

  it('quotes the log of a server that dies at once', async () => {
    await project.cli(['down']);
    const { code, stderr } = await project.cli(['up', '--no-worker'], {
      RETRAIN_MLFLOW_PYTHON: '/bin/false',
    });
    await project.cli(['down']);
    expect(code).toBe(4);
    expect(stderr).toMatch(/MLflow stopped while starting.*mlflow\.log/s);
    expect(await isPortFree(Number(project.env['RETRAIN_TEMPORAL_PORT']))).toBe(true);
  });
});

describe('retrain up with servers that the environment names', () => {
  it('starts only the worker, and down stops only that', async () => {
    const project = new TestProject();
    expect(states(await json<BroughtUp>(project, 'up'))).toEqual([
      'external',
      'external',
      'started',
      'started',
    ]);
    const { stopped } = await json<TakenDown>(project, 'down');
    expect(stopped.sort()).toEqual(['API', 'Worker']);
    await project.remove();
  });

  it('says which server does not answer', async () => {
    const project = await ownStack();
    const nobody = `127.0.0.1:${await freePort()}`;
    const temporal = await project.cli(['up', '--no-worker'], {
      TEMPORAL_ADDRESS: nobody,
      MLFLOW_TRACKING_URI: process.env['RETRAIN_TEST_MLFLOW_URI'] ?? '',
    });
    expect(temporal.code).toBe(4);
    expect(temporal.stderr).toContain(`no Temporal server answers at ${nobody}`);
    const mlflow = await project.cli(['up', '--no-worker'], {
      TEMPORAL_ADDRESS: process.env['RETRAIN_TEST_TEMPORAL_ADDRESS'] ?? '',
      MLFLOW_TRACKING_URI: `http://${nobody}`,
    });
    expect(mlflow.code).toBe(4);
    expect(mlflow.stderr).toContain(`no MLflow server answers at http://${nobody}`);
    await project.remove();
  });
});
