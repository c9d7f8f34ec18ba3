import { z } from 'zod';

/** An image name as Docker takes it, with a tag, a digest or neither: `retrain/stage:1`, `registry:5000/a/b@sha256:…`. */
const IMAGE = /^[a-z0-9][a-z0-9._:/-]*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

const SIZE = /^\d+(\.\d+)?[kmgt]$/;

/** A size as Docker writes it, powers of 1024: `512m`, `2g`. */
export const Size = z.string().regex(SIZE, 'must be a size such as 512m or 2g');

/** `/host/path:/container/path[:ro]` or `volume:/container/path[:ro]`. */
const VOLUME = /^(\/[^:]*|[A-Za-z0-9][\w.-]*):(\/[^:]*)(:ro|:rw)?$/;

/** The last part of a path through which a container would command the engine, and with it the host. */
const SOCKET = /(docker|containerd|podman|crio)\.sock/;

/** Paths that would hand a stage its host. */
const HOST_PATHS = /^\/(|etc|proc|sys|dev|boot|root|run|var\/run|var\/lib\/docker)(\/|$)/;

const Volume = z
  .string()
  .regex(VOLUME, 'must be a volume such as /mnt/data:/data:ro')
  .refine(
    (text) => !SOCKET.test(text),
    'must not be a socket of the container engine: it is root on the host',
  )
  .refine(
    (text) => !HOST_PATHS.test((text.split(':')[0] ?? '').replace(/\/+/g, '/')) || !text.startsWith('/'),
    'must not be a system folder of the host',
  )
  .refine((text) => !text.split(/[/:]/).includes('..'), 'must not contain ..');

/**
 * Where a stage runs. These keys stand beside the stage's own in params.yaml; all but `executor` and `queue` need
 * `executor: container`. There is no way to ask for a privileged container or for the host's namespaces.
 */
export const placement = {
  executor: z
    .enum(['in-process', 'container'])
    .default('in-process')
    .describe('Where the stage runs: in a thread of the worker, or in a container of its own.'),
  queue: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be the name of a task queue')
    .optional()
    .describe('Task queue whose workers run the stage, such as retrain-gpu; else the run’s own.'),
  image: z
    .string()
    .regex(IMAGE, 'must be an image such as retrain/stage:1 or name@sha256:…')
    .optional()
    .describe('Image of a container stage; the worker’s RETRAIN_DOCKER_IMAGES must allow it.'),
  command: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Arguments for the image’s entry point; else the name of the stage.'),
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable, without a value'))
    .optional()
    .describe('Variables that the stage gets from the worker’s environment, by name.'),
  cpus: z.number().gt(0).max(1024).optional().describe('CPUs that the container may use; else 2.'),
  memory: Size.optional().describe('Memory that it may use, tmpfs included; else 2g.'),
  disk: Size.optional().describe('Most that it may write to /stage/out; else 10g.'),
  gpus: z
    .union([z.int().min(1).max(64), z.literal('all')])
    .optional()
    .describe('GPUs that it gets.'),
  network: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/, 'must be the name of a Docker network')
    .refine((text) => text !== 'host', 'must not be host: a stage gets no namespace of its host')
    .optional()
    .describe('Docker network that it joins; else none.'),
  timeout: z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'must be a duration such as 10m or 2h')
    .optional()
    .describe('Longest run time of the container; else that of the activity, 24h.'),
  user: z
    .string()
    .regex(/^\d+(:\d+)?$/, 'must be numeric, such as 1000:1000')
    .refine((text) => Number(text.split(':')[0]) !== 0, 'must not be root')
    .optional()
    .describe('User and group that it runs as; else the worker’s own, or 65532 for a worker that is root.'),
  volumes: z
    .array(Volume)
    .optional()
    .describe(
      'Further mounts, `source:target[:ro]`; the worker’s RETRAIN_DOCKER_VOLUMES must allow each source.',
    ),
} as const;

export type Placement = z.infer<z.ZodObject<typeof placement>>;

/** What a container stage is given, all of it. */
export type ContainerOptions = Omit<Placement, 'executor' | 'queue' | 'image'> & { image: string };

const PLACEMENT_KEYS = Object.keys(placement) as (keyof Placement)[];
const CONTAINER_KEYS = PLACEMENT_KEYS.filter((key) => key !== 'executor' && key !== 'queue');

/** Keys that decide what comes out of a container; the others say where and with how much room it runs. */
const DECISIVE: readonly (keyof Placement)[] = ['executor', 'command', 'env', 'volumes'];

/** A schema check: container keys with `executor: container` only, and then with an image. */
export function checkPlacement(
  value: Partial<Placement>,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string; input: unknown }): void },
): void {
  if (value.executor === 'container') {
    if (value.image !== undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['image'],
      message: 'needs a value with executor: container',
      input: value.image,
    });
    return;
  }
  for (const key of CONTAINER_KEYS) {
    if (value[key] === undefined) continue;
    context.addIssue({
      code: 'custom',
      path: [key],
      message: 'needs executor: container beside it',
      input: value[key],
    });
  }
}

/** What a container stage asks for; undefined for a stage in process. */
export function containerOptions(params: Partial<Placement>): ContainerOptions | undefined {
  if (params.executor !== 'container' || params.image === undefined) return undefined;
  const { image } = params;
  const options = CONTAINER_KEYS.filter((key) => params[key] !== undefined).map((key) => [key, params[key]]);
  return { ...(Object.fromEntries(options) as Omit<ContainerOptions, 'image'>), image };
}

/** The stage's own params: what its code sees, the same in process and in a container. */
export function ownParams<T extends Partial<Placement>>(params: T): Omit<T, keyof Placement> {
  const entries = Object.entries(params).filter(([key]) => !PLACEMENT_KEYS.includes(key as keyof Placement));
  return Object.fromEntries(entries) as Omit<T, keyof Placement>;
}

/** The params that take part in a run's name: not where, on how large a machine, or for how long. */
export function decisivePlacement<T extends Partial<Placement>>(params: T): Partial<T> {
  const entries = Object.entries(params).filter(
    ([key]) => !PLACEMENT_KEYS.includes(key as keyof Placement) || DECISIVE.includes(key as keyof Placement),
  );
  return Object.fromEntries(entries) as Partial<T>;
}
