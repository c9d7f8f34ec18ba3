import {
  type ActivityExecuteInput,
  type ActivityInboundCallsInterceptor,
  type Next,
} from '@temporalio/worker';
import { RetrainError } from '../contracts/errors';
import { RunSpec } from '../contracts/run';

/** An issue's path and words, whoever chose them. */
const LONGEST = 300;

/**
 * Reads the spec of a run again, by the same schema as params.yaml: a client filled it in, and anybody who can start a workflow may have
 * written it by hand, with a forest of a billion trees. What activities get has been checked, once, here.
 */
export class SpecGuard implements ActivityInboundCallsInterceptor {
  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const [first, ...others] = input.args;
    if (typeof first !== 'object' || first === null || !('spec' in first)) return next(input);
    return next({ ...input, args: [{ ...first, spec: checkedSpec(first.spec) }, ...others] });
  }
}

/** @throws RetrainError CONFIG_INVALID, with the first mistake */
export function checkedSpec(spec: unknown): RunSpec {
  const parsed = RunSpec.safeParse(spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = ['spec', ...(issue?.path ?? [])].map(String).join('.');
  throw new RetrainError(
    'CONFIG_INVALID',
    `${where}: ${issue?.message ?? 'is no spec'}`.slice(0, LONGEST) +
      '; leave spec out and let the worker fill it in',
  );
}
