import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CollectedDay } from '../../../contracts/collect';
import { CollectParams } from '../../../contracts/collect-params';
import { collectSettings } from '../../../integrations/http-source/settings';
import { createSourceClient, type SourceClient } from '../../../integrations/http-source/source-client';
import { collectDay, type CollectDeps } from '../../../pipeline/collect/collect-day';
import { FakeContainers } from './fake-containers';
import { json, SourceServer } from '../../integrations/http-source/source-server';

export interface Price {
  card: string;
  day: string;
  price: number;
}

/** Three cards on a day. */
export const pricesOf = (day: string): Price[] =>
  ['lugia', 'mew', 'abra'].map((card, at) => ({ card, day, price: 10 + at }));

/** A project with a source of card prices, and the server that it comes from. */
export class CollectBench {
  readonly project = mkdtempSync(path.join(tmpdir(), 'retrain-collect-'));
  readonly server = new SourceServer();
  readonly containers = new FakeContainers(this.project);
  client!: SourceClient;

  async start(env: Record<string, string> = {}): Promise<void> {
    await this.server.start();
    this.server.play = (_, response, url) =>
      json(response, { items: pricesOf(url.searchParams.get('day') ?? '') });
    this.client = createSourceClient(collectSettings({ RETRAIN_COLLECT_HOSTS: '127.0.0.1:*', ...env }), {
      rule: { attempts: 3, firstWaitMs: 1, longestWaitMs: 1000 },
    });
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.server.stop();
    rmSync(this.project, { recursive: true, force: true });
  }

  params(source: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): CollectParams {
    return CollectParams.parse({
      sources: {
        cards: {
          url: `${this.server.origin}/prices?day={day}`,
          rows: '/items',
          columns: { card: 'text', day: 'date', price: { type: 'number', min: 0 } },
          unique: ['card'],
          requests_per_minute: 60_000,
          ...source,
        },
      },
      ...rest,
    });
  }

  /** One day of the source. */
  async collect(
    day: string,
    { source, rest, by = 'test', onStep, now = '2026-03-20T06:00:00Z' }: CollectOptions = {},
  ): Promise<CollectedDay> {
    const collect = this.params(source, rest);
    return collectDay(
      { project: this.project, client: this.client, containers: this.containers, ...(onStep && { onStep }) },
      { name: 'cards', source: collect.sources['cards']!, collect, day, now: new Date(now), by },
    );
  }

  text(file: string): string {
    return readFileSync(path.join(this.project, file), 'utf8');
  }

  has(file: string): boolean {
    return existsSync(path.join(this.project, file));
  }

  /** Names in a folder, hidden ones included. */
  names(folder: string): string[] {
    return this.has(folder) ? readdirSync(path.join(this.project, folder)).sort() : [];
  }
}

interface CollectOptions {
  source?: Record<string, unknown>;
  rest?: Record<string, unknown>;
  by?: string;
  onStep?: CollectDeps['onStep'];
  now?: string;
}
