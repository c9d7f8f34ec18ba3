import { type Command } from 'commander';
import { declaredData } from '../../contracts/data-params';
import { containerOptions } from '../../contracts/container';
import { RetrainError } from '../../contracts/errors';
import { type StageProgress } from '../../contracts/stage';
import { computeStage } from '../../pipeline/compute-stage';
import { COMPUTE_STAGES, isComputeStage, type ComputeStageName } from '../../pipeline/stage';
import { dataInsideProject } from '../../pipeline/run/inside-project';
import { loadParams } from '../../pipeline/run/load-params';
import { type StageOutcome } from '../../pipeline/run-stage';
import { runWorkspaceStage } from '../../pipeline/workspace/run-workspace-stage';
import { readStageCode } from '../../pipeline/stage-code';
import { workspaceStages, type WorkspaceStage } from '../../pipeline/workspace/workspace-stages';
import { type CommandModule } from '../command';
import { loadClientConfig, type ClientConfig } from '../config';
import { openProjectStore } from '../data/project-store';
import { stageExecution } from '../stage/execution';
import { duration } from '../terminal/duration';
import { progressLine } from '../terminal/progress-line';
import { printJson } from '../terminal/print-json';
import { aligned, paint, screen } from '../terminal/screen';
import { untilInterrupted } from '../terminal/until-interrupted';

interface StageOptions {
  params: string;
  force: boolean;
  json: boolean;
}

export const stage: CommandModule = {
  define(program: Command) {
    program
      .command('stage')
      .description(
        'run one stage on the files of the project, without Temporal and MLflow; what dvc.yaml calls',
      )
      .argument('<stage>', COMPUTE_STAGES.join(', '))
      .option('--params <file>', 'the params file', 'params.yaml')
      .option('--force', 'run even if the result for this code, params and inputs is known', false)
      .option('--json', 'print one JSON object', false)
      .addHelpText(
        'after',
        '\nReads and writes the paths that dvc.yaml names: prepared/<model>/, models/<model>/, metrics/. Exit code: that of the stage.\n\nExample:\n  retrain stage preprocess && retrain stage train && retrain stage evaluate\n',
      )
      .action(run);
  },
};

async function run(name: string, options: StageOptions): Promise<void> {
  if (!isComputeStage(name)) {
    throw new RetrainError('USAGE', `stage takes one of ${COMPUTE_STAGES.join(', ')}, got ${name}`);
  }
  const config = loadClientConfig();
  const { at, result } = await untilInterrupted(`stage ${name}`, (signal) =>
    runStage(config, name, options, signal),
  );
  const outputs = result.outputs.map((artifact) => ({
    ...artifact,
    path: at.outputs[artifact.name] ?? null,
  }));
  if (options.json) {
    const { key, reused, metrics, durationMs } = result;
    printJson('stage', { stage: name, key, reused, outputs, metrics, durationMs });
  } else {
    screen.out(lines(name, at, result).join('\n'));
  }
}

async function runStage(
  config: ClientConfig,
  name: ComputeStageName,
  { params: paramsFile, force, json }: StageOptions,
  signal: AbortSignal,
): Promise<{ at: WorkspaceStage; result: StageOutcome }> {
  const { project } = config;
  const params = await loadParams(project, paramsFile);
  for (const { path, key } of declaredData(params.data)) {
    await dataInsideProject(project, path, paramsFile, key);
  }
  const at = workspaceStages(paramsFile, params).find((one) => one.stage === name);
  if (at === undefined) throw new RetrainError('USAGE', `${paramsFile} has no stage ${name}`);
  const container = containerOptions(params[name]);
  const digest = container === undefined ? null : await digestOf(container.image, config);
  const images = digest === null ? {} : { [name]: digest };
  const compute = computeStage(name, params, await readStageCode(config.stageCodeFile), images);
  const progress = json ? null : progressLine(screen, name);
  const watch = { signal, onProgress: (seen: StageProgress): void => progress?.show(seen) };
  const placement =
    container === undefined || digest === null ? {} : { container: { options: container, digest } };
  const opened = await openProjectStore(config);
  try {
    const execution = await stageExecution(config, name, placement);
    const { store, placeMode } = opened;
    const result = await runWorkspaceStage(
      { project, store, placeMode, execution, watch },
      compute,
      at,
      force,
    );
    return { at, result };
  } finally {
    progress?.end();
    opened.close();
  }
}

async function digestOf(image: string, { env }: ClientConfig): Promise<string> {
  const { digestOfImage } = await import('../../integrations/docker/digest-of-image.js');
  return digestOfImage(image, env);
}

function lines(
  name: ComputeStageName,
  at: WorkspaceStage,
  { reused, outputs, metrics, durationMs }: StageOutcome,
): string[] {
  const files = outputs.flatMap(({ name: output, md5 }) => {
    const file = at.outputs[output];
    return file === undefined ? [] : [[`  ${file}`, paint.dim(md5)]];
  });
  const measured = Object.entries(metrics).map(([metric, value]) => [
    `  ${metric}`,
    Number.isInteger(value) ? String(value) : value.toFixed(4),
  ]);
  return [
    reused
      ? `${paint.good(`${name}: reused`)}, the result for this code, params and inputs is known`
      : `${paint.good(`${name}: done`)} in ${duration(durationMs)}`,
    ...aligned([...files, [`  ${at.metrics}`]]),
    ...aligned(measured),
  ];
}
