import { ServingParams } from '../../contracts/serving-params';
import { mlflowSettings } from '../../integrations/mlflow/settings';
import { DEFAULT_API } from '../../serving/api/settings';
import { type Serving, startServing } from '../../serving/start-serving';
import { type CardDay } from './day-features';

interface Answer {
  model_version: string;
  predictions: { prediction: number }[];
}

/** The prediction API as it is, with the clock of the days that are played through. */
export class Api {
  private constructor(private readonly serving: Serving) {}

  static async start(
    options: { model: string; state: string; mlflow: string },
    now: () => number,
  ): Promise<Api> {
    const quiet = (): void => undefined;
    const serving = await startServing({
      api: { ...DEFAULT_API, port: 0 },
      mlflow: mlflowSettings({ MLFLOW_TRACKING_URI: options.mlflow }),
      model: options.model,
      serving: ServingParams.parse({ log: { retention_days: 3650 } }),
      ...{ publicKey: null, state: options.state, pollMs: 500, now },
      logger: { info: quiet, warn: quiet, error: (message, fields) => console.error(message, fields) },
    });
    return new Api(serving);
  }

  /** Waits until the version that is in production is the one that answers. */
  async serves(version: string): Promise<void> {
    for (let tries = 0; tries < 240; tries++) {
      const info = await fetch(`${this.serving.url}/model/info`);
      const { model_version: now } = (await info.json()) as { model_version?: string };
      if (info.ok && now === version) return;
      await new Promise((resolve) => setTimeout(resolve, 125));
    }
    throw new Error(`version ${version} is in production and not served`);
  }

  /** Asks for the next day's prices. @returns them by card, and who answered */
  async predict(day: string, { rows }: CardDay): Promise<{ version: string; prices: Map<string, number> }> {
    const answer = await this.#post<Answer>('/predict', { rows: rows.map(({ features }) => features) }, day);
    const prices = answer.predictions.map(({ prediction }, at): [string, number] => [
      rows[at]?.card ?? '',
      prediction,
    ]);
    return { version: answer.model_version, prices: new Map(prices) };
  }

  /** Tells what the prices of a day came to. @param cards in the order in which the day was asked about */
  async tell(asked: string, cards: readonly string[], truth: ReadonlyMap<string, number>): Promise<number> {
    let told = 0;
    for (const [row, card] of cards.entries()) {
      const label = truth.get(card);
      if (label === undefined) continue;
      await this.#post('/feedback', { request_id: asked, row, label }, `${asked}-${row}`);
      told++;
    }
    return told;
  }

  /** Waits until every prediction is in a file. */
  async written(): Promise<void> {
    for (;;) {
      const health = await fetch(`${this.serving.url}/health`);
      const { prediction_log: log } = (await health.json()) as { prediction_log: { queued: number } | null };
      if (log === null || log.queued === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #post<T>(route: string, body: unknown, id: string): Promise<T> {
    const response = await fetch(`${this.serving.url}${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${route} answered ${response.status}: ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  close(): Promise<void> {
    return this.serving.close();
  }
}
