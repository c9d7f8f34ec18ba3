import { type Column } from '../../ml/dataset/raw-table';
import {
  type Answers,
  type Batch,
  type FieldMistake,
  type Label,
  type ModelField,
  type ServedModel,
} from '../../serving/model/served-model';
import { LiveModel, type ModelFacts, type Role } from '../../serving/reload/live-model';
import { type ModelsInService, type ReloadStatus } from '../../serving/reload/models-in-service';

const FIELDS: ModelField[] = [
  { name: 'size', type: 'number', optional: false, nullable: false, levels: null },
  { name: 'colour', type: 'text', optional: true, nullable: true, levels: ['red', 'blue'] },
];

/** A model of two columns whose answers can be told from those of another one: `big` from `limit` on. */
export class SmallModel implements ServedModel {
  readonly task: 'classification' | 'regression';
  readonly fields = FIELDS;
  readonly classes: readonly Label[];
  readonly cutoff: ServedModel['cutoff'];
  readonly signal = null;
  readonly engine = 'forest';
  closed = 0;
  scored = 0;

  constructor(
    private readonly options: {
      limit?: number;
      task?: 'regression';
      cutoff?: number;
      later?: (answers: Answers) => Promise<Answers>;
    } = {},
  ) {
    this.task = options.task ?? 'classification';
    this.classes = this.task === 'regression' ? [] : ['small', 'big'];
    this.cutoff = options.cutoff === undefined ? null : { positive: 'big', threshold: options.cutoff };
  }

  read(rows: readonly unknown[]): { batch: Batch } | { mistakes: FieldMistake[] } {
    const mistakes: FieldMistake[] = [];
    const size = new Float64Array(rows.length);
    const colours = new Int32Array(rows.length).fill(-1);
    const levels: string[] = [];
    rows.forEach((row, at) => {
      if (typeof row !== 'object' || row === null || Array.isArray(row)) {
        mistakes.push({ row: at, field: '', seen: JSON.stringify(row), expected: 'a mapping of columns' });
        return;
      }
      const given = row as { size?: unknown; colour?: unknown };
      if (typeof given.size === 'number' && Number.isFinite(given.size)) size[at] = given.size;
      else
        mistakes.push({
          row: at,
          field: 'size',
          seen: given.size === undefined ? 'nothing' : String(JSON.stringify(given.size)).slice(0, 40),
          expected: 'a finite number',
        });
      if (typeof given.colour === 'string') colours[at] = levels.push(given.colour) - 1;
      else if (given.colour !== undefined && given.colour !== null)
        mistakes.push({ row: at, field: 'colour', seen: JSON.stringify(given.colour), expected: 'a text' });
    });
    if (mistakes.length > 0) return { mistakes: mistakes.slice(0, 100) };
    const columns: Column[] = [
      { kind: 'number', name: 'size', values: size },
      { kind: 'text', name: 'colour', codes: colours, levels },
    ];
    return { batch: { rows: rows.length, columns } };
  }

  score({ rows, columns }: Batch): Answers | Promise<Answers> {
    this.scored += rows;
    const [size] = columns;
    if (size?.kind !== 'number') throw new RangeError('size is a column of numbers');
    const answers = this.#answers(rows, size.values);
    return this.options.later === undefined ? answers : this.options.later(answers);
  }

  #answers(rows: number, size: Float64Array): Answers {
    if (this.task === 'regression')
      return { labels: null, probabilities: null, values: size.map((value) => value * 2) };
    const probabilities = new Float64Array(rows * 2);
    const labels: Label[] = [];
    for (let row = 0; row < rows; row++) {
      const big = 1 / (1 + Math.exp((this.options.limit ?? 0) - (size[row] ?? 0)));
      probabilities[row * 2] = 1 - big;
      probabilities[row * 2 + 1] = big;
      labels.push(big > 0.5 ? 'big' : 'small');
    }
    return { labels, probabilities, values: null };
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

export const FACTS: ModelFacts = {
  name: 'sizes',
  version: '3',
  alias: 'production',
  stage: 'Production',
  runId: 'f00d',
  dataHash: 'a'.repeat(64),
  gitCommit: 'b'.repeat(40),
  metrics: { accuracy: 0.9 },
  example: [{ size: 1, colour: 'red' }],
  signed: 'no',
  loadedAt: Date.UTC(2026, 0, 1),
};

/** Models in service as a test wants them. */
export class FixedModels implements ModelsInService {
  live: LiveModel | null;
  canaryLive: { live: LiveModel; percent: number } | null = null;
  shadowLive: LiveModel | null = null;
  looks = 0;
  now: ReloadStatus = {
    state: 'ok',
    why: null,
    mlflow: { reachable: true, lastAnswerAt: 1 },
    lastCheckAt: 1,
    refused: [],
    reloads: 1,
  };

  constructor(served: ServedModel | null, facts: ModelFacts = FACTS) {
    this.live = served === null ? null : new LiveModel(facts, served);
  }

  production(): LiveModel | null {
    return this.live;
  }
  choose(_key: string | undefined): { live: LiveModel; role: Role } | null {
    return this.live === null ? null : { live: this.live, role: 'production' };
  }
  canary(): { live: LiveModel; percent: number } | null {
    return this.canaryLive;
  }
  shadow(): LiveModel | null {
    return this.shadowLive;
  }
  status(): ReloadStatus {
    return this.now;
  }
  async reload(): Promise<ReloadStatus> {
    this.looks++;
    return this.now;
  }
}
