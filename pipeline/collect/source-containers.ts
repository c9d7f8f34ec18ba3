import { type ContainerOptions } from '../../contracts/container';
import { type StageExecution } from '../run-stage';

/** A container that leaves the rows of one day. */
export interface SourceRun {
  /** How messages name it: `collect.sources.orders`. */
  who: string;
  source: string;
  day: string;
  /** Names the question: another one must not be answered by a container that was asked this one. */
  key: string;
  options: ContainerOptions;
  /** Of its image: `sha256:…`. */
  digest: string;
  /** That it is given beside those of `options.env`, by name. */
  variables: Readonly<Record<string, string>>;
}

/** What runs the containers of sources: the engine of a worker, or of the command line. */
export interface SourceContainers {
  /** Where containers get the variables that they may ask for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * What an image name means now.
   *
   * @throws RetrainError CONTAINER_REFUSED before anybody is asked; IMAGE_NOT_FOUND, DOCKER_UNREACHABLE
   */
  digestOf(image: string, who: string, options: ContainerOptions): Promise<string>;
  /** Where it runs: a folder that is the same for each attempt, in which an earlier one may be at work still. */
  place(run: SourceRun): StageExecution | Promise<StageExecution>;
}
