import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { has, testWith } from '../../tools/needs';

/** The executable of MinIO, a real S3 server; the test set-up builds it and names it here. */
const executable = process.env.RETRAIN_TEST_MINIO;

/** `test` where MinIO is at hand. */
export const withMinio = testWith('minio');
export const hasMinio = has('minio');

export interface Minio {
  endpoint: string;
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  client: S3Client;
  stop(): Promise<void>;
}

/** Starts MinIO on a free port with an empty bucket. */
export async function startMinio(): Promise<Minio> {
  if (!executable) throw new Error('RETRAIN_TEST_MINIO is not set: run the test set-up, which builds MinIO');
  const dir = mkdtempSync(join(tmpdir(), 'minio-'));
  const port = await freePort();
  const credentials = { accessKeyId: 'retrain-test', secretAccessKey: 'retrain-test-secret' };
  const server = spawn(executable, ['server', dir, '--address', `127.0.0.1:${port}`, '--quiet'], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      MINIO_ROOT_USER: credentials.accessKeyId,
      MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
      MINIO_BROWSER: 'off',
    },
  });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const bucket = 'data';
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      break;
    } catch (error) {
      if (attempt > 100) throw error;
      await sleep(100);
    }
  }
  const stop = async () => {
    client.destroy();
    server.kill('SIGKILL');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  return { endpoint, bucket, credentials, client, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
