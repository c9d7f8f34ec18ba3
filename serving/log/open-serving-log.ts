import { type PredictionLogOptions } from './log-options';
import { openPredictionLog } from './open-prediction-log';
import { type LoggedPrediction, type LogStatus, type PredictionLog } from './prediction-log';
import { ServingSummary, type SummaryOptions } from './serving-summary';

export interface ServingLogOptions extends PredictionLogOptions {
  /** Where the summary goes; absent: nowhere. */
  summary?: Omit<SummaryOptions, 'onNotice' | 'now'>;
}

/** A prediction log that also tells MLflow, now and then, what was predicted: see `ServingSummary`. */
export function openServingLog(options: ServingLogOptions): PredictionLog {
  const { summary: wanted, ...rest } = options;
  if (wanted === undefined) return openPredictionLog(rest);
  const { onNotice, now } = rest;
  const summary = new ServingSummary({
    ...wanted,
    ...(onNotice === undefined ? {} : { onNotice }),
    ...(now === undefined ? {} : { now }),
  });
  const log = openPredictionLog({
    ...rest,
    onJudged: (judged) => {
      summary.judge(judged);
      rest.onJudged?.(judged);
    },
  });
  return new LogWithSummary(log, summary);
}

class LogWithSummary implements PredictionLog {
  constructor(
    private readonly log: PredictionLog,
    private readonly summary: ServingSummary,
  ) {}

  add(prediction: LoggedPrediction): void {
    this.log.add(prediction);
    this.summary.add(prediction);
  }

  feedback(...args: Parameters<PredictionLog['feedback']>): boolean {
    return this.log.feedback(...args);
  }

  status(): LogStatus {
    return this.log.status();
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.summary.close();
  }
}
