import { containerOptions } from '../contracts/container';
import { type Params } from '../contracts/params';
import { COMPUTE_STAGES } from './stage';

/** Digest of the image of each container stage; undefined when there is none. */
export async function stageImages(
  params: Params,
  imageDigest: (image: string) => Promise<string>,
): Promise<Record<string, string> | undefined> {
  const found = await Promise.all(
    COMPUTE_STAGES.map(async (stage) => {
      const container = containerOptions(params[stage]);
      return container === undefined ? [] : [[stage, await imageDigest(container.image)] as const];
    }),
  );
  const images = found.flat();
  return images.length === 0 ? undefined : Object.fromEntries(images);
}
