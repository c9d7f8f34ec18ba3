import path from 'node:path';
import { DriftParams, windowMs } from '../../contracts/drift-params';
import { RetrainError } from '../../contracts/errors';
import { parseModelReference } from '../../integrations/mlflow/registered-run';
import { loadParams } from '../../pipeline/run/load-params';
import { type DriftQuestion } from '../../serving/watch/drift-question';
import { type ClientConfig } from '../config';
import { type DriftFlags } from './drift-flags';
import { parseMoment } from '../steward/moment';
import { aliasesOf, csvRulesOf } from '../data/table-flags';

/**
 * What `retrain drift` asks.
 *
 * @param now epoch ms
 * @throws RetrainError USAGE, CONFIG_INVALID, CONFIG_NOT_FOUND
 */
export async function driftQuestion(
  config: ClientConfig,
  named: string | undefined,
  flags: DriftFlags,
  now: number,
): Promise<DriftQuestion> {
  const { data, log, window, until } = flags;
  if (data !== undefined && log) throw usage('--data and --log: look at one of them');
  if (data !== undefined && (window ?? until) !== undefined) {
    throw usage('--window and --until are about the prediction log; leave them out with --data');
  }
  const { files, separator, decimal, quote, encoding, missing } = flags;
  const ofTables = { files, separator, decimal, quote, encoding, missing, alias: flags.alias[0] };
  const [given] = Object.entries(ofTables).find(([, value]) => value !== undefined) ?? [];
  if (data === undefined && given !== undefined) {
    throw usage(`--${given} is about a table; name it with --data`);
  }
  const { model, params } = await paramsFor(config.project, named, flags.params);
  if (data === undefined) return { model, params, current: logged(window ?? params.window, until, now) };
  return {
    ...{ model, params },
    current: {
      ...{ source: 'data', path: path.resolve(config.project, data), shown: data, pattern: files },
      ...{ aliases: aliasesOf(flags.alias), rules: csvRulesOf(flags) },
    },
  };
}

function logged(window: string, until: string | undefined, now: number): DriftQuestion['current'] {
  const span = windowMs(window);
  if (!(span > 0)) throw usage(`--window ${window}: expected a span such as 12h, 7d or 2w`);
  const to = until === undefined ? now : parseMoment(until, '--until');
  return { source: 'log', from: new Date(Math.max(0, to - span)), to: new Date(to) };
}

/** `drift` of the params file is about its own model; another one is judged by the defaults, unless the file was named. */
async function paramsFor(
  project: string,
  named: string | undefined,
  file: string,
): Promise<{ model: string; params: DriftParams }> {
  const usual = DriftParams.parse({});
  try {
    const params = await loadParams(project, file);
    const model = named ?? params.model;
    const own = file !== 'params.yaml' || parseModelReference(model).model === params.model;
    return { model, params: own ? (params.drift ?? usual) : usual };
  } catch (error) {
    const missing = error instanceof RetrainError && error.code === 'CONFIG_NOT_FOUND';
    if (!missing || file !== 'params.yaml') throw error;
    if (named !== undefined) return { model: named, params: usual };
    throw new RetrainError(
      'CONFIG_NOT_FOUND',
      `${error.message}; or say which model: retrain drift iris-classifier@production`,
      { cause: error },
    );
  }
}

const usage = (words: string): RetrainError => new RetrainError('USAGE', words);
