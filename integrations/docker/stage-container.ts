import { type ContainerCreateOptions, type MountSettings } from 'dockerode';
import { join } from 'node:path';
import { type ContainerOptions } from '../../contracts/container';
import { type DockerSettings } from './settings';
import { bytes, shownSize } from './size';

/** The activity that a container works for. */
export interface ContainerOwner {
  workflowId: string;
  workflowRunId: string;
  activityId: string;
  /** From 1. */
  attempt: number;
}

export interface StageContainer {
  stage: string;
  /** What runs: an image id or a name with a digest. */
  image: string;
  options: ContainerOptions;
  owner: ContainerOwner;
  /** Names the Temporal namespace, so that workers of other namespaces leave the container alone. */
  scope: string;
  /** Folder of the stage contract, as the worker sees it. */
  dir: string;
  /** The same folder, as the engine sees it. */
  hostDir: string;
  /** `uid:gid` when the stage does not say. */
  user: string;
  /** Memory when the stage does not say, in bytes. */
  memoryBytes: number;
  /** Values of the variables that the stage asks for. */
  env: Readonly<Record<string, string | undefined>>;
  /** Further ones, which come before those. */
  variables?: Readonly<Record<string, string>>;
}

export const LABEL = {
  scope: 'retrain.scope',
  stage: 'retrain.stage',
  workflowId: 'retrain.workflow-id',
  workflowRunId: 'retrain.workflow-run-id',
  activityId: 'retrain.activity-id',
  attempt: 'retrain.attempt',
  dir: 'retrain.dir',
} as const;

const MOUNT_POINT = '/stage';
export const PIDS_LIMIT = 256;
const DEFAULT_CPUS = 2;
export const DEFAULT_DISK = '10g';

const MIB = 1024 ** 2;

/** One name per activity, so that the engine itself refuses a second container for it. */
export function containerName(owner: ContainerOwner): string {
  return `retrain-${owner.workflowRunId}-${owner.activityId.replace(/[^\w.-]/g, '_')}`;
}

/**
 * Everything the engine is told about a stage's container. Least privilege: not root, no capabilities, no way to gain
 * any, a read-only root, no network, and limits on memory, CPU, processes, file size and log. Of the host it sees
 * in/ and params.json, read-only, and out/; /tmp is memory, within the memory limit.
 */
export function containerSpec(container: StageContainer): ContainerCreateOptions {
  const { stage, options, owner, variables = {} } = container;
  const memory =
    options.memory === undefined ? container.memoryBytes : bytes(options.memory, `${stage}.memory`);
  const disk = diskBytes(stage, options);
  return {
    name: containerName(owner),
    Image: container.image,
    Cmd: options.command ?? [stage],
    User: options.user ?? container.user,
    Env: [
      'HOME=/tmp',
      `RETRAIN_STAGE=${stage}`,
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...(options.env ?? []).flatMap((name) => {
        const value = Object.hasOwn(variables, name) ? undefined : container.env[name];
        return value === undefined ? [] : [`${name}=${value}`];
      }),
    ],
    WorkingDir: MOUNT_POINT,
    AttachStdin: false,
    OpenStdin: false,
    Tty: false,
    Labels: {
      [LABEL.scope]: container.scope,
      [LABEL.stage]: stage,
      [LABEL.workflowId]: owner.workflowId,
      [LABEL.workflowRunId]: owner.workflowRunId,
      [LABEL.activityId]: owner.activityId,
      [LABEL.attempt]: String(owner.attempt),
      [LABEL.dir]: container.dir,
    },
    HostConfig: {
      NetworkMode: options.network ?? 'none',
      Mounts: mounts(container),
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      IpcMode: 'private',
      // Reaps what the stage leaves behind, and passes SIGTERM on to what would ignore it as process 1.
      Init: true,
      PidsLimit: PIDS_LIMIT,
      Memory: memory,
      // Together with swap: none.
      MemorySwap: memory,
      ShmSize: Math.min(64 * MIB, memory),
      NanoCpus: Math.round((options.cpus ?? DEFAULT_CPUS) * 1e9),
      Tmpfs: { '/tmp': `rw,nosuid,nodev,mode=1777,size=${Math.min(256 * MIB, memory)}` },
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'fsize', Soft: disk, Hard: disk },
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '16m', 'max-file': '1' } },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      ...(options.gpus === undefined ? {} : { DeviceRequests: [gpuRequest(options.gpus)] }),
    },
  };
}

/** What a stage gets that does not say: no more than the most that there is for one. */
export function withDefaults(options: ContainerOptions, most: DockerSettings['most']): ContainerOptions {
  return {
    ...options,
    cpus: options.cpus ?? Math.min(DEFAULT_CPUS, most.cpus),
    disk: options.disk ?? shownSize(Math.min(bytes(DEFAULT_DISK, 'disk'), most.diskBytes)),
  };
}

/** Most that a stage may leave in out/, in bytes. */
export function diskBytes(stage: string, options: ContainerOptions): number {
  return bytes(options.disk ?? DEFAULT_DISK, `${stage}.disk`);
}

/** Mounts, and not binds: a source that is not there is an error, and not an empty folder made by the engine. */
function mounts({ hostDir, options }: StageContainer): MountSettings[] {
  const bind = (source: string, target: string, readOnly: boolean): MountSettings => ({
    Type: 'bind',
    Source: source,
    Target: target,
    ReadOnly: readOnly,
  });
  return [
    bind(join(hostDir, 'in'), `${MOUNT_POINT}/in`, true),
    bind(join(hostDir, 'params.json'), `${MOUNT_POINT}/params.json`, true),
    bind(join(hostDir, 'out'), `${MOUNT_POINT}/out`, false),
    ...(options.volumes ?? []).map((text): MountSettings => {
      const [source = '', target = '', mode] = text.split(':');
      if (source.startsWith('/')) return bind(source, target, mode !== 'rw');
      return { Type: 'volume', Source: source, Target: target, ReadOnly: mode !== 'rw' };
    }),
  ];
}

function gpuRequest(gpus: number | 'all'): { Count: number; Capabilities: string[][] } {
  return { Count: gpus === 'all' ? -1 : gpus, Capabilities: [['gpu']] };
}
