import { Context } from '@temporalio/activity';
import { RetrainError } from '../../../contracts/errors';
import { type Services } from '../../../worker/compose';

/**
 * What happens at an effect. error: the call fails. crash: the attempt stops there and then, as if its worker had died. time-out: the
 * attempt hears nothing until the run is over, and then goes on, late, as one does that was cut off from the network.
 */
export type Kind = 'error' | 'crash' | 'time-out';

export interface Fault {
  /** An effect of the run, `service.method#n`: its n-th call by that activity. */
  effect: string;
  /** `after`: it took place, and its answer was lost. */
  when: 'before' | 'after';
  kind: Kind;
}

/** Parts of a service whose methods are effects as well. */
const GROUPS = new Set(['runs', 'experiments', 'artifacts', 'registry', 'workflow']);
/** Answers at once, from this process. */
const NO_EFFECTS = new Set(['pathOf', 'close', 'goesOn', 'folderName']);

/** Stands between the activities and the outside systems: notes what each run calls, and does what its faults say, each once. */
export class FaultSeam {
  /** Effects by run (workflow id), in order. */
  readonly effects = new Map<string, string[]>();
  private readonly planned = new Map<string, Fault[]>();
  private readonly hits = new Map<string, Fault[]>();
  private readonly over: Promise<void>;
  private endAll: () => void = () => undefined;

  /** @param die ends the process at a crash; default: only the attempt stops, and the process goes on */
  constructor(private readonly die?: () => void) {
    this.over = new Promise((resolve) => {
      this.endAll = resolve;
    });
  }

  /** What the worker is started with. */
  wrap(services: Services): Services {
    return {
      ...services,
      client: this.counted(services.client, 'temporal'),
      mlflow: this.counted(services.mlflow, 'mlflow'),
      store: this.counted(services.store, 'store'),
      results: this.counted(services.results, 'results'),
      workspace: this.counted(services.workspace, 'workspace'),
      executor: this.counted(services.executor, 'executor'),
      containers: {
        digestOf: (...asked) =>
          this.effect('containers.digestOf', () => services.containers.digestOf(...asked)),
        stages: (keepLog) =>
          this.counted(
            services.containers.stages((...args) =>
              this.effect('containers.keepLog', () => keepLog(...args)),
            ),
            'containers',
          ),
      },
    };
  }

  plan(run: string, faults: readonly Fault[]): void {
    this.planned.set(run, [...faults]);
  }

  /** Those of its faults that did not come to pass. */
  missed(run: string): Fault[] {
    const hits = this.hits.get(run) ?? [];
    return (this.planned.get(run) ?? []).filter((fault) => !hits.includes(fault));
  }

  /** The runs are over: attempts that were cut off go on now, and those that died may be forgotten. */
  end(): void {
    this.endAll();
  }

  private counted<T extends object>(service: T, name: string): T {
    return new Proxy(service, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        const called = `${name}.${String(property)}`;
        if (typeof member === 'object' && member !== null && GROUPS.has(String(property)))
          return this.counted(member, called);
        if (typeof member !== 'function') return member;
        if (property === 'getHandle') {
          return (...args: unknown[]): object =>
            this.counted(Reflect.apply(member, target, args) as object, 'temporal.run');
        }
        return (...args: unknown[]): unknown => {
          const call = (): unknown => Reflect.apply(member, target, args);
          return NO_EFFECTS.has(String(property))
            ? call()
            : this.effect(called, call as () => Promise<unknown>);
        };
      },
    });
  }

  private async effect<T>(name: string, call: () => Promise<T>): Promise<T> {
    const context = current();
    const run = context === undefined ? undefined : this.runOf(context);
    if (context === undefined || run === undefined) return call();
    const seen = this.effects.get(run) ?? [];
    this.effects.set(run, seen);
    const activity = `${context.info.activityType}: ${name}`;
    const effect = `${activity}#${seen.filter((one) => one.startsWith(`${activity}#`)).length + 1}`;
    seen.push(effect);
    const fault = this.due(run, effect);
    if (fault?.when === 'before') await this.befall(fault, context);
    const answer = await call();
    if (fault?.when === 'after') await this.befall(fault, context);
    return answer;
  }

  /** What a steward does to decide on a run's candidate is an effect of that run: each has a model of its own here. */
  private runOf({ info }: Context): string | undefined {
    const id = info.workflowExecution?.workflowId;
    const [, model] = /^steward-(.*)$/.exec(id ?? '') ?? [];
    if (model === undefined || info.activityType !== 'settleCandidate') return id;
    // The last: a run of the same model may have gone before.
    return [...this.effects.keys()].findLast((run) => run.startsWith(`train-${model}-`)) ?? id;
  }

  private due(run: string, effect: string): Fault | undefined {
    const fault = this.planned.get(run)?.find((one) => one.effect === effect);
    if (fault !== undefined) this.hits.set(run, [...(this.hits.get(run) ?? []), fault]);
    return fault;
  }

  private async befall({ kind, when, effect }: Fault, context: Context): Promise<void> {
    const error = new RetrainError('MLFLOW_UNREACHABLE', `injected ${kind} ${when} ${effect}`);
    if (kind === 'error') throw error;
    if (kind === 'crash') this.die?.();
    // Nothing is heard of the attempt any more; the server gives it up when its heartbeats are missed.
    Object.defineProperty(context, 'heartbeat', { value: () => undefined });
    await this.over;
    if (kind === 'crash') throw error;
  }
}

function current(): Context | undefined {
  try {
    return Context.current();
  } catch {
    return undefined;
  }
}
