import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { imageDigest } from '../../../integrations/docker/images';
import { describeWithDocker, engine, testSettings } from './engine';
import { PrivateRegistry } from './private-registry';

jest.setTimeout(60_000);

describeWithDocker('an image that the engine does not have', () => {
  const registry = new PrivateRegistry();
  const folder = mkdtempSync(path.join(tmpdir(), 'retrain-login-'));
  const settings = testSettings({ DOCKER_CONFIG: folder, RETRAIN_DOCKER_IMAGES: '127.0.0.1:*,retrain/*' });
  let host: string;
  let image: string;

  beforeAll(async () => {
    host = await registry.start();
    image = `${host}/team/stage:1`;
    login({});
    // An engine in a network namespace of its own sees a new port of this machine within a second.
    const refused = async (): Promise<boolean> =>
      imageDigest(engine, image, settings).then(
        () => false,
        (error: unknown) => /connection refused/.test(String(error)),
      );
    while (await refused()) await sleep(100);
  });
  beforeEach(() => login({}));
  afterAll(async () => {
    await registry.stop();
    rmSync(folder, { recursive: true });
    await engine.getImage(image).remove({ force: true });
  });

  const login = (auths: Record<string, { auth: string }>): void =>
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ auths }));
  const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') });

  test('and whose registry asks who we are is not found without a login: it says how to give one', async () => {
    await expect(imageDigest(engine, image, settings)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringMatching(
        /cannot be pulled without a login \(.*(no basic auth|401).*`docker login`/,
      ) as string,
    });
  });

  test('is not found with a wrong login, whose user is named and whose password is not', async () => {
    login({ [host]: auth(`${registry.user}:wrong`) });
    const error: unknown = await imageDigest(engine, image, settings).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringContaining('cannot be pulled as someone (') as string,
    });
    expect(String(error)).not.toContain('wrong');
  });

  test('is pulled with the login of config.json', async () => {
    login({
      'elsewhere:5000': auth('a:b'),
      [`https://${host}/v1/`]: auth(`${registry.user}:${registry.password}`),
    });
    expect(await imageDigest(engine, image, settings)).toMatch(/^sha256:[0-9a-f]{64}$/);
    const { Config } = await engine.getImage(image).inspect();
    expect(Config.Labels).toEqual({ test: 'private-registry' });
  });

  test('and is one of ours is never pulled: it says how to build it', async () => {
    await expect(imageDigest(engine, 'retrain/stage:nowhere', settings)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringMatching(
        /^image retrain\/stage:nowhere is not on the Docker engine at .*; build it with `make docker-build`/,
      ) as string,
    });
  });
});
