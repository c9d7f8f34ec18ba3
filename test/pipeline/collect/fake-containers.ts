import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ContainerOptions } from '../../../contracts/container';
import { type SourceContainers, type SourceRun } from '../../../pipeline/collect/source-containers';
import { type StageExecution } from '../../../pipeline/run-stage';

export const DIGEST = `sha256:${'a'.repeat(64)}`;

/** What a container does in its folder. */
export type Play = (out: string, run: SourceRun, params: Record<string, unknown>) => void | Promise<void>;

/** Containers that are functions: what they write is read as a real one's is. One that is left at work is found again by its folder. */
export class FakeContainers implements SourceContainers {
  env: Record<string, string> = {};
  digest = DIGEST;
  play: Play = () => undefined;
  /** Questions that a container was started for. */
  readonly started: SourceRun[] = [];
  readonly asked: { image: string; who: string; options: ContainerOptions }[] = [];

  constructor(private readonly folder: string) {}

  digestOf(image: string, who: string, options: ContainerOptions): Promise<string> {
    this.asked.push({ image, who, options });
    return Promise.resolve(this.digest);
  }

  place(run: SourceRun): StageExecution {
    const dir = path.join(this.folder, 'container');
    return {
      dir,
      run: async (prepare) => {
        if (!existsSync(path.join(dir, 'params.json'))) {
          await prepare();
          this.started.push(run);
        }
        const params = JSON.parse(readFileSync(path.join(dir, 'params.json'), 'utf8')) as Record<
          string,
          unknown
        >;
        await this.play(path.join(dir, 'out'), run, params);
        return 1;
      },
      goesOn: (error) => error instanceof WorkerEnds,
    };
  }
}

/** The worker is gone, and its container goes on. */
export class WorkerEnds extends Error {}

/** Leaves files in out/. */
export const leaves =
  (files: Record<string, string>): Play =>
  (out) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(out, name), text);
  };
