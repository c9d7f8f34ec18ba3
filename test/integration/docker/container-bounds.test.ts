import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describeWithDocker, engine } from './engine';
import { read, Workbench } from './workbench';

jest.setTimeout(120_000);

describeWithDocker('a container stage', () => {
  const bench = new Workbench();
  afterAll(() => bench.close());

  test('reads its input, writes its output, prints a log; nothing is left of it', async () => {
    const { out, logFile, durationMs } = await bench.run(
      'cat /stage/in/data > /stage/out/copy; echo \'{"stage":"train","phase":"growing trees","done":1,"total":2}\'; echo hello; echo oops >&2; sleep 1',
    );
    expect(read(path.join(out, 'copy'))).toBe('the input\n');
    expect(read(logFile).split('\n')).toEqual(expect.arrayContaining(['hello', 'oops']));
    expect(bench.lines).toEqual(expect.arrayContaining(['hello', 'oops']));
    expect(bench.progress).toContainEqual({
      phase: 'growing trees',
      done: 1,
      total: 2,
      container: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
    });
    // The engine notes the start when it sees it: a busy one later than a stage of a moment ends.
    expect(durationMs).toBeGreaterThan(0);
    expect(await bench.containers()).toEqual([]);
  });

  test('is not root, has no capabilities, and cannot get any', async () => {
    const { out } = await bench.run(
      'id -u > /stage/out/uid; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status > /stage/out/status',
    );
    expect(read(path.join(out, 'uid')).trim()).not.toBe('0');
    expect(read(path.join(out, 'status'))).toMatch(/CapEff:\s*0+\nCapBnd:\s*0+\nNoNewPrivs:\s*1/);
  });

  test.each([
    ['its input', 'echo x > /stage/in/data'],
    ['its params', 'echo x > /stage/params.json'],
    ['a new file beside them', 'echo x > /stage/new'],
    ['the image', 'echo x > /etc/passwd'],
    ['the root folder', 'mkdir /new'],
  ])('that writes to %s is told so', async (_what, script) => {
    await expect(bench.run(script)).rejects.toMatchObject({
      code: 'STAGE_FAILED',
      message: expect.stringMatching(
        /ended with exit code [12]; only \/stage\/out and \/tmp can be written to; its last lines: /,
      ) as string,
    });
  });

  test('that tries the network is told that it has none', async () => {
    const script = `node -e "require('http').get('http://example.com').on('error', (e) => { console.error(e.message); process.exit(7) })"`;
    await expect(bench.run(script)).rejects.toMatchObject({
      code: 'STAGE_FAILED',
      message: expect.stringMatching(
        /exit code 7; it has no network: name one with train.network .*EAI_AGAIN/,
      ) as string,
    });
    const { out } = await bench.run('ls /sys/class/net > /stage/out/interfaces');
    expect(read(path.join(out, 'interfaces')).trim()).toBe('lo');
  });

  test('that runs out of memory is said to have', async () => {
    const script = `node --max-old-space-size=4000 -e "const a = []; for (;;) a.push(Buffer.alloc(1e7, 1))"`;
    await expect(bench.run(script, { memory: '64m' })).rejects.toMatchObject({
      code: 'STAGE_OUT_OF_MEMORY',
      message: expect.stringMatching(/out of memory, its limit is 64m; raise train.memory/) as string,
    });
  });

  test('that forks without end is stopped and named', async () => {
    // One of the shell alone (f() { f & f & wait; }) may die out by chance: a shell that cannot fork ends.
    const bomb = `const { spawn } = require('child_process'); setInterval(() => { for (let i = 0; i < 20; i++) spawn('sleep', ['600']).on('error', () => {}); }, 50)`;
    await expect(bench.run(`node -e "${bomb}" 2>/dev/null; sleep 600`, { cpus: 0.5 })).rejects.toMatchObject({
      code: 'STAGE_UNSAFE',
      message: expect.stringMatching(/256 processes and threads/) as string,
    });
    expect(await bench.containers()).toEqual([]);
  });

  test('that fills the disk, with one file or with many, is stopped and named', async () => {
    await expect(bench.run('head -c 100m /dev/zero > /stage/out/big', { disk: '20m' })).rejects.toMatchObject(
      { message: expect.stringMatching(/SIGXFSZ|20m/) as string },
    );
    const many = 'i=0; while true; do head -c 10m /dev/zero > /stage/out/f$i; i=$((i+1)); sleep 0.1; done';
    await expect(bench.run(many, { disk: '20m' })).rejects.toMatchObject({
      code: 'STAGE_UNSAFE',
      message: 'train wrote more than its limit of 20m to /stage/out',
    });
  });

  test.each([
    [
      'a symbolic link out of it',
      'ln -s /etc/passwd /stage/out/model.onnx',
      /symbolic link out\/model.onnx to \/etc\/passwd/,
    ],
    [
      'a link in a folder',
      'mkdir /stage/out/a; ln -s ../../../secret /stage/out/a/b',
      /symbolic link out\/a\/b/,
    ],
    [
      'a named pipe',
      'mkfifo /stage/out/metrics.json',
      /out\/metrics.json, which is neither a file nor a folder/,
    ],
  ])('that leaves %s among its outputs is refused', async (_what, script, message) => {
    await expect(bench.run(script)).rejects.toMatchObject({
      code: 'STAGE_UNSAFE',
      message: expect.stringMatching(message) as string,
    });
  });

  test('gives its error in out/error.json', async () => {
    const script = `echo '{"code":"DATA_INVALID","message":"line 3: not a number"}' > /stage/out/error.json; exit 2`;
    await expect(bench.run(script)).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: 'line 3: not a number',
    });
  });

  test('gets the variables that it names and the operator allows, and no others', async () => {
    const executor = bench.executor({ STAGE_TOKEN: 'abc', AWS_SECRET_ACCESS_KEY: 'secret' });
    const { out } = await bench.run('env > /stage/out/env', { env: ['STAGE_TOKEN'] }, executor);
    expect(read(path.join(out, 'env'))).toContain('STAGE_TOKEN=abc\n');
    expect(read(path.join(out, 'env'))).not.toContain('secret');
    await expect(bench.run('true', { env: ['AWS_SECRET_ACCESS_KEY'] }, executor)).rejects.toMatchObject({
      code: 'CONTAINER_REFUSED',
    });
  });

  test('past its timeout is stopped, and says so', async () => {
    await expect(bench.run('sleep 600', { timeout: '1s' })).rejects.toMatchObject({
      code: 'STAGE_TIMED_OUT',
      message: 'train ran longer than its timeout of 1s',
    });
  });

  test('that ignores SIGTERM is killed when it is cancelled, long before its end', async () => {
    const own = new Workbench();
    const running = own
      .run('trap "" TERM; echo started; while true; do sleep 600; done')
      .catch((error: unknown) => error);
    await own.untilPrinted('started');
    own.cancel.abort(new Error('cancelled'));
    expect(await running).toMatchObject({ message: 'cancelled' });
    expect(await own.containers()).toEqual([]);
    await own.close();
  });

  test('of an image that is nowhere fails, naming it', async () => {
    const run = await bench.describe('true');
    const missing = {
      ...run,
      digest: `sha256:${'0'.repeat(64)}`,
      options: { ...run.options, image: 'retrain/nowhere:1' },
    };
    await expect(bench.executor().run(missing)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringContaining('retrain/nowhere:1') as string,
    });
  });

  test('runs the image that the run was started for, even if its name has moved', async () => {
    const digest = (await engine.getImage('node:22-bookworm-slim').inspect()).Id;
    const run = await bench.describe('true');
    await expect(bench.executor().run({ ...run, digest })).resolves.toBeDefined();
    await expect(bench.executor().run({ ...run, digest: `sha256:${'0'.repeat(64)}` })).rejects.toMatchObject({
      code: 'CODE_MISMATCH',
    });
  });
});

describeWithDocker('what a container leaves', () => {
  test('belongs to the worker, whatever modes the stage gave it', async () => {
    const bench = new Workbench();
    const { out } = await bench.run(
      'mkdir /stage/out/a; echo 1 > /stage/out/a/b; chmod 000 /stage/out/a/b /stage/out/a',
    );
    expect(readFileSync(path.join(out, 'a', 'b'), 'utf8')).toBe('1\n');
    expect(existsSync(out)).toBe(true);
    await bench.close();
  });
});
