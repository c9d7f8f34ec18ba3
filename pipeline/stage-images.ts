import { type ContainerOptions, containerOptions } from '../contracts/container';
import { type Params } from '../contracts/params';
import { COMPUTE_STAGES } from './stage';

/** What an image name means; the stage that asks, and all that it asks for, come along for who may refuse it. */
export type ImageDigest = (image: string, stage: string, options: ContainerOptions) => Promise<string>;

/** Digest of the image of each container stage; undefined when there is none. */
export async function stageImages(
  params: Params,
  imageDigest: ImageDigest,
): Promise<Record<string, string> | undefined> {
  const found = await Promise.all(
    COMPUTE_STAGES.map(async (stage) => {
      const container = containerOptions(params[stage]);
      return container === undefined
        ? []
        : [[stage, await imageDigest(container.image, stage, container)] as const];
    }),
  );
  const images = found.flat();
  return images.length === 0 ? undefined : Object.fromEntries(images);
}
