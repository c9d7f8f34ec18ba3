import { availableParallelism } from 'node:os';
import { predictionWidth } from '../../ml/forest/forest';
import { ForestModel } from '../model/forest-model';
import { type ServedModel } from '../model/served-model';
import { answerColumns } from './answer-columns';
import { type OutColumn } from './out-column';
import { ScoreCrew } from './score-crew';
import { ScoreMemory } from './score-memory';
import { type TableBatch } from './table-batch';

/** What scores the batches of a table, several of them at once. */
export interface BatchScorer {
  /** Batches that may be under way at once. */
  abreast: number;
  score(batch: TableBatch): Promise<OutColumn[]>;
  close(): Promise<void>;
}

/** Our own forests are walked in threads; any other model is asked batch by batch. */
export function batchScorer(model: ServedModel): BatchScorer {
  if (!(model instanceof ForestModel)) {
    return {
      abreast: 1,
      score: async (batch) => answerColumns(model, batch.rows, await model.score(batch)),
      close: () => Promise.resolve(),
    };
  }
  const threads = availableParallelism();
  const crew = new ScoreCrew(model.forest, threads);
  const abreast = threads + 1;
  // Those that wait to be written, and the one that comes.
  const memory = new ScoreMemory(abreast + 1);
  return {
    abreast,
    score: async (batch) => {
      const { values, predictions, answers } = memory.next(
        batch.rows * model.width,
        batch.rows * predictionWidth(model.forest),
      );
      await crew.predict(model.matrix(batch, values), predictions);
      return answerColumns(model, batch.rows, model.answers(batch, predictions), answers);
    },
    close: () => crew.close(),
  };
}
