import { InProcessExecutor } from '../../stages/in-process';
import { CompiledStages, StageFolder } from './stage-folder';

/** Stages as a worker runs them, and the folders that they were given. */
export interface StageBench {
  /** A folder of the stage contract, which goes after the last test of the file. */
  folder(...made: ConstructorParameters<typeof StageFolder>): StageFolder;
  run(stage: string, folder: StageFolder): Promise<void>;
}

/** For the tests of one file: compiled before the first, gone after the last. */
export function useStages(): StageBench {
  const folders: StageFolder[] = [];
  let compiled: CompiledStages | undefined;
  let executor: InProcessExecutor | undefined;
  beforeAll(() => {
    compiled = new CompiledStages();
    executor = new InProcessExecutor({ threadEntry: compiled.threadEntry, threads: 1 });
  });
  afterAll(async () => {
    await executor?.close();
    compiled?.remove();
    for (const made of folders) made.remove();
  });
  return {
    folder(...made) {
      const folder = new StageFolder(...made);
      folders.push(folder);
      return folder;
    },
    async run(stage, { dir }) {
      await executor?.run(stage, dir);
    },
  };
}
