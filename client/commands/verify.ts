import { statSync } from 'node:fs';
import path from 'node:path';
import { type Command } from 'commander';
import { RetrainError } from '../../contracts/errors';
import { type ClaimedIdentity } from '../../integrations/signing/check-identity';
import { checkModel, type Signed } from '../../integrations/signing/check-model';
import { publicKeyOf } from '../../integrations/signing/public-key';
import { PROVENANCE_FILE, type ProvenanceStatement } from '../../integrations/signing/provenance';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';
import { untilInterrupted } from '../terminal/until-interrupted';

const VARIABLE = 'RETRAIN_SIGNING_PUBLIC_KEY';

interface VerifyFlags {
  key?: string;
  json: boolean;
}

export const verify: CommandModule = {
  define(program: Command) {
    program
      .command('verify')
      .description('check a model against its signature and its provenance, offline')
      .argument('<model>', 'the folder of a model, or such as iris-classifier@production')
      .option('--key <file>', `the public key, in PEM; default: ${VARIABLE}, a file or the key itself`)
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nA registered model is fetched into .retrain/models/; while MLflow is away, the copy of the last time is checked.\nIts provenance must name the same model, version and MLflow run as the registry. With a key, a model without a signature fails; without one, only its files are held against its provenance. Exit code 1 when\nsomething differs, with the first file that does.\n\nExample:\n  retrain verify iris-classifier@production --key signing.pub\n',
      )
      .action((model: string, flags: VerifyFlags) =>
        untilInterrupted('the check', (signal) => run(model, flags, signal)),
      );
  },
};

async function run(model: string, flags: VerifyFlags, signal: AbortSignal): Promise<void> {
  const config = loadClientConfig();
  const setting = flags.key === undefined ? VARIABLE : '--key';
  const key = publicKeyOf(flags.key ?? config.env[VARIABLE], setting, config.project);
  const { dir, what, note, claimed } = await locate(config, model, signal);
  const { signature: signed, statement } = await checkModel(dir, { what, publicKey: key, claimed, signal });
  if (flags.json) {
    const { buildDefinition = null, runDetails = null } = statement?.predicate ?? {};
    const files = statement?.subject.map(({ name }) => name) ?? null;
    printJson('verify', {
      model: what,
      dir,
      verified: true,
      signature: signed,
      files,
      buildDefinition,
      runDetails,
    });
    return;
  }
  if (note !== null) screen.err(paint.dim(note));
  screen.out(lines(what, signed, statement).join('\n'));
}

async function locate(
  config: ClientConfig,
  model: string,
  signal: AbortSignal,
): Promise<{ dir: string; what: string; note: string | null; claimed: ClaimedIdentity | null }> {
  const dir = path.resolve(config.project, model);
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    return { dir, what: model, note: null, claimed: null };
  }
  if (!model.includes('@')) {
    throw new RetrainError(
      'DATA_NOT_FOUND',
      `${model}: no such folder; name the folder of a model, or a registered one as ${model.split('/')[0] ?? 'iris'}@production`,
    );
  }
  const [{ fetchModel }, { parseModelReference }] = await Promise.all([
    import('../../pipeline/model/fetch-model.js'),
    import('../../integrations/mlflow/registered-run.js'),
  ]);
  const reference = parseModelReference(model);
  const copy = await fetchModel(
    { mlflow: config.mlflow, dir: path.join(config.state, 'models') },
    reference,
    signal,
  );
  return {
    dir: copy.dir,
    what: `${reference.model} v${copy.version}`,
    claimed: { model: reference.model, version: copy.version, mlflowRunId: copy.mlflowRunId },
    note: copy.fresh
      ? null
      : `MLflow does not answer: this is the copy that was fetched last, in ${path.relative(config.project, copy.dir)}`,
  };
}

const SIGNATURE: Record<Signed, () => string> = {
  valid: () => paint.good('valid, made with the key that was given'),
  unchecked: () => `there is one; give its public key with --key or ${VARIABLE} to check it`,
  no: () => 'the model is not signed',
};

function lines(what: string, signed: Signed, statement: ProvenanceStatement | null): string[] {
  const { buildDefinition, runDetails } = statement?.predicate ?? {};
  const dependencies = (buildDefinition?.resolvedDependencies ?? []).map(({ name, uri, digest = {} }) => [
    paint.dim(`  ${name ?? 'source'}`),
    `${uri ?? ''} ${digest['sha256'] ?? digest['gitCommit'] ?? ''}`.trim(),
  ]);
  return [
    `${paint.good(paint.strong(`${what} is as it was ${signed === 'valid' ? 'signed' : 'made'}`))}`,
    ...aligned([
      [paint.dim('  signature'), SIGNATURE[signed]()],
      [
        paint.dim('  files'),
        statement === null
          ? `there is no ${PROVENANCE_FILE}`
          : `${statement.subject.length} as recorded in ${PROVENANCE_FILE}`,
      ],
      ...dependencies,
      ...(runDetails?.metadata.invocationId === undefined
        ? []
        : [[paint.dim('  run'), runDetails.metadata.invocationId]]),
    ]),
  ];
}
