import { type Command } from 'commander';
import { RetrainError } from '../../contracts/errors';
import { ServingParams } from '../../contracts/serving-params';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { paint, screen } from '../terminal/screen';

interface ServeFlags {
  model?: string;
  params: string;
  host?: string;
  port?: string;
  allowedHosts?: string;
  poll: string;
  log: boolean;
}

const PUBLIC_KEY = 'RETRAIN_SIGNING_PUBLIC_KEY';

export const serve: CommandModule = {
  define(program: Command) {
    program
      .command('serve')
      .description('answer predictions with the model in production, over HTTP')
      .option('--model <name>', 'the registered model; default: RETRAIN_MODEL, or that of the params file')
      .option('--params <file>', 'the params file, whose `serving` says how', 'params.yaml')
      .option('--host <address>', 'where to listen; default: RETRAIN_API_HOST, or 127.0.0.1')
      .option('--port, --api-port <port>', 'default: RETRAIN_API_PORT, or 8000')
      .option(
        '--allowed-hosts <names>',
        'names that requests may use for this machine, besides localhost and addresses; *: any',
      )
      .option('--poll <seconds>', 'how often to look which version is in production', '5')
      .option('--no-log', 'keep no predictions')
      .addHelpText(
        'after',
        '\nIt serves what the alias production names, and nothing else; while nothing is there, GET /ready says 503 and what to do. A new version is\ntaken into service without a pause. Keys, TLS and limits: RETRAIN_API_* in .env.example. Ctrl-C or SIGTERM ends it in order.\n\nExample:\n  retrain serve --port 8080\n',
      )
      .action((flags: ServeFlags & { apiPort?: string }) =>
        run({ ...flags, ...(flags.apiPort !== undefined && { port: flags.apiPort }) }),
      );
  },
};

async function run(flags: ServeFlags): Promise<void> {
  const config = loadClientConfig();
  const [{ startServing }, { apiSettings }, { createServingLogger }, { makeStateFolder }, { publicKeyOf }] =
    await Promise.all([
      import('../../serving/start-serving.js'),
      import('../../serving/api/api-settings.js'),
      import('../../serving/serving-logger.js'),
      import('../../integrations/files/state-folder.js'),
      import('../../integrations/signing/public-key.js'),
    ]);
  const { model, serving } = await whatToServe(config, flags);
  // Copies of models, and predictions with what they were made from, are their owner's only.
  process.umask(0o077);
  makeStateFolder(config.state);
  const running = await startServing({
    api: apiSettings(config.project, config.env, flags),
    mlflow: config.mlflow,
    model,
    serving: flags.log ? serving : { ...serving, log: { ...serving.log, enabled: false } },
    publicKey: publicKeyOf(config.env[PUBLIC_KEY], PUBLIC_KEY, config.project),
    state: config.state,
    pollMs: pollMs(flags.poll),
    logger: createServingLogger(config.env['LOG_LEVEL']),
  });
  screen.err(
    `${paint.good('serving')} ${model} at ${running.url} ${paint.dim('(/docs, /ui; Ctrl-C ends it)')}`,
  );
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await running.close();
}

/** @throws RetrainError CONFIG_INVALID, CONFIG_NOT_FOUND */
async function whatToServe(
  { project, env }: ClientConfig,
  { model, params: file }: ServeFlags,
): Promise<{ model: string; serving: ServingParams }> {
  const named = model ?? (env['RETRAIN_MODEL'] || undefined);
  const { loadParams } = await import('../../pipeline/run/load-params.js');
  try {
    const params = await loadParams(project, file);
    return { model: named ?? params.model, serving: params.serving ?? ServingParams.parse({}) };
  } catch (error) {
    const missing = error instanceof RetrainError && error.code === 'CONFIG_NOT_FOUND';
    if (!missing || file !== 'params.yaml') throw error;
    if (named !== undefined) return { model: named, serving: ServingParams.parse({}) };
    throw new RetrainError(
      'CONFIG_NOT_FOUND',
      `${error.message}; or say which model with --model or RETRAIN_MODEL`,
      { cause: error },
    );
  }
}

function pollMs(text: string): number {
  const seconds = Number(text);
  if (text !== '' && seconds >= 0.1 && seconds <= 3600) return Math.round(seconds * 1000);
  throw new RetrainError('USAGE', `--poll must be a number of seconds from 0.1 to 3600, got ${text}`);
}
