import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type SourceContainer } from '../../contracts/collect';
import { type ContainerSource, sourceContainer } from '../../contracts/collect-source';
import { RetrainError } from '../../contracts/errors';
import { type StageProgress } from '../../contracts/stage';
import { type SecretMask } from '../../integrations/docker/secret-mask';
import { readBounded } from '../../integrations/files/read-bounded';
import { removeTree, removeTreeLater } from '../../integrations/files/remove-tree';
import { stageErrorIn } from '../../integrations/files/stage-error';
import { writingTo } from '../../integrations/files/storage-trouble';
import { containerRows } from './container-rows';
import { dayAfter } from './days';
import { type SourceContainers } from './source-containers';

/** What is asked of a container. */
export interface ContainerQuestion {
  name: string;
  source: ContainerSource;
  day: string;
  timezone: string;
  /** Highest value of the days before, as text. */
  watermark: string;
  signal?: AbortSignal | undefined;
  onPhase?: ((progress: StageProgress) => void) | undefined;
}

export interface ContainerAnswer {
  rows: unknown[];
  files: number;
  ran: SourceContainer;
}

/** Beside what the container sees. */
const ASKED_FILE = 'asked.json';

/**
 * Runs the container of a source for one day, and reads the rows that it left.
 *
 * An attempt that finds the container of an earlier one at work on the same question goes on with it; of another question, as params.yaml
 * has changed in between, it removes it. Nothing but the folder is written.
 *
 * @throws RetrainError as `ContainerExecutor.run`, and `containerRows`
 */
export async function askContainer(
  containers: SourceContainers,
  question: ContainerQuestion,
  mask: SecretMask,
): Promise<ContainerAnswer> {
  const { name, source, day, signal = new AbortController().signal } = question;
  const who = `collect.sources.${name}`;
  const options = sourceContainer(source);
  const now = await containers.digestOf(source.image, who, options);
  const given = paramsOf(question);
  const key = createHash('sha256')
    .update(JSON.stringify([options, given]))
    .digest('hex');
  const variables = variablesOf(question);
  const execution = await containers.place({ who, source: name, day, key, options, digest: now, variables });
  const { dir } = execution;
  const earlier = await askedIn(dir);
  if (earlier?.key !== key) await removeTree(dir);
  // A tag may have moved since; what is at work is what the record tells of.
  let digest = earlier?.key === key ? earlier.digest : now;
  let goesOn = false;
  try {
    const prepare = async (): Promise<void> => {
      digest = now;
      await layOut(dir, given, { key, digest });
    };
    await execution.run(prepare, { signal, onProgress: (seen) => question.onPhase?.(seen) });
    const error = await stageErrorIn(dir);
    if (error !== null) throw new RetrainError(error.code, mask.text(error.message));
    const { rows, files } = await containerRows(dir, source, who, signal);
    const { image, command = [], env = [], network = 'none' } = options;
    return { rows, files, ran: { image, digest, command, env, network } };
  } catch (error) {
    goesOn = execution.goesOn?.(error) ?? false;
    throw error;
  } finally {
    if (!goesOn) await removeTreeLater(dir);
  }
}

/** What the container finds in params.json. */
function paramsOf({ name, source, day, timezone, watermark }: ContainerQuestion): Record<string, unknown> {
  const { columns, params = {} } = source;
  const days = { day, from: day, to: dayAfter(day, 1) };
  return { source: name, ...days, timezone, watermark, columns: Object.keys(columns), params };
}

/** The same for programs that read no JSON, such as a database's own client. */
function variablesOf({ name, day, timezone, watermark }: ContainerQuestion): Record<string, string> {
  return {
    RETRAIN_SOURCE: name,
    RETRAIN_DAY: day,
    RETRAIN_FROM: day,
    RETRAIN_TO: dayAfter(day, 1),
    RETRAIN_TIMEZONE: timezone,
    // What no variable can hold.
    RETRAIN_WATERMARK: watermark.replaceAll('\0', ''),
  };
}

interface Asked {
  key: string;
  digest: string;
}

async function layOut(dir: string, params: unknown, asked: Asked): Promise<void> {
  await writingTo({ folder: dir }, async () => {
    await removeTree(dir);
    for (const folder of ['in', 'out']) await mkdir(path.join(dir, folder), { recursive: true });
    await writeFile(path.join(dir, ASKED_FILE), JSON.stringify(asked));
    // Last: a folder that has it is one in which a container may be at work.
    await writeFile(path.join(dir, 'params.json'), JSON.stringify(params));
  });
}

/** Null: nothing was asked there, as far as can be told. */
async function askedIn(dir: string): Promise<Asked | null> {
  const text = await readBounded(path.join(dir, ASKED_FILE), ASKED_FILE, 4096).catch(() => null);
  if (text === null) return null;
  try {
    const { key, digest } = JSON.parse(text) as Partial<Asked>;
    return typeof key === 'string' && typeof digest === 'string' ? { key, digest } : null;
  } catch {
    return null;
  }
}
