import { type PredictionLog } from '../log/prediction-log';
import { type Answers, type Batch, type ServedModel } from '../model/served-model';
import { type LiveModel, type Role } from '../reload/live-model';
import { type ModelsInService } from '../reload/models-in-service';
import { type Answered } from './answered';
import { type ApiMetrics } from './metrics';
import { Problem } from './problem';
import { readRows, Scoring } from './score-rows';
import { type ApiSettings } from './settings';
import { ShadowListener } from './shadow';

/** What a request asks, whatever its protocol. */
export interface Question {
  requestId: string;
  /** What a canary's share is drawn by; undefined: by chance. */
  key: string | undefined;
  /** The version that is to answer; undefined: whichever it falls to. */
  version?: string | undefined;
  /** Since its arrival, in ms. */
  elapsedMs: () => number;
  /** Makes the rows for the model that is to answer. @throws Problem */
  rows(model: ServedModel): readonly unknown[];
}

/** The one way from rows to answers: choose the model, read, score, count, log. One model answers all of a request. */
export class Answering {
  readonly scoring: Scoring;
  readonly shadow: ShadowListener;

  constructor(
    private readonly settings: ApiSettings,
    private readonly models: ModelsInService,
    private readonly metrics: ApiMetrics,
    private readonly log: PredictionLog | null,
    /** Epoch ms, for the log. */
    private readonly now: () => number = Date.now,
  ) {
    this.scoring = new Scoring(settings);
    this.shadow = new ShadowListener(metrics, log, now);
  }

  /** @throws Problem, at once or by rejecting */
  answer(question: Question): Answered | Promise<Answered> {
    const { live, role } = this.#chosen(question);
    const rows = question.rows(live.served);
    const batch = readRows(live.served, rows, this.settings);
    const answers = this.scoring.score(live.served, batch);
    if (!(answers instanceof Promise)) return this.#done(question, rows, { live, role, batch, answers });
    return this.#later(question, rows, live, role, batch, answers);
  }

  /** The model stays open until its answer is there, however often another one has taken its place meanwhile. */
  async #later(
    question: Question,
    rows: readonly unknown[],
    live: LiveModel,
    role: Role,
    batch: Batch,
    answers: Promise<Answers>,
  ): Promise<Answered> {
    live.take();
    try {
      return this.#done(question, rows, { live, role, batch, answers: await answers });
    } finally {
      live.release();
    }
  }

  #chosen({ key, version }: Question): { live: LiveModel; role: Role } {
    const chosen = this.models.choose(key);
    if (chosen !== null && (version === undefined || chosen.live.facts.version === version)) return chosen;
    if (chosen !== null) {
      const canary = this.models.canary()?.live;
      if (canary !== undefined && canary.facts.version === version) return { live: canary, role: 'canary' };
      const production = this.models.production();
      if (production !== null && production.facts.version === version)
        return { live: production, role: 'production' };
      throw new Problem(404, 'no-such-model', `version ${version?.slice(0, 20)} is not in service`);
    }
    const { why } = this.models.status();
    throw new Problem(503, 'no-model', why ?? 'no model is loaded yet; try again in a second', {
      retryAfter: 1,
    });
  }

  #done(question: Question, rows: readonly unknown[], answered: Answered): Answered {
    const { live, role, batch, answers } = answered;
    this.metrics.predicted(live, role, batch.rows, answers);
    this.log?.add({
      at: this.now(),
      requestId: question.requestId,
      modelName: live.facts.name,
      modelVersion: live.facts.version,
      role,
      model: live.served,
      batch,
      answers,
      latencyMs: question.elapsedMs(),
    });
    const shadow = this.models.shadow();
    if (shadow !== null) this.shadow.hear(shadow, question.requestId, rows, answered);
    return answered;
  }
}
