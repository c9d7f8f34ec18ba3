import {
  TemporalFailure,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
} from '@temporalio/workflow';

/**
 * Failures of workflow code reach people by the Web UI and the command line with their words, and without a trace of our code. An error
 * that is none of these fails the task and not the workflow; its trace is for whoever mends it, and stays.
 */
const inbound: WorkflowInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      throw withoutTrace(error);
    }
  },
  async handleUpdate(input, next) {
    try {
      return await next(input);
    } catch (error) {
      throw withoutTrace(error);
    }
  },
  validateUpdate(input, next) {
    try {
      next(input);
    } catch (error) {
      throw withoutTrace(error);
    }
  },
};

function withoutTrace(error: unknown): unknown {
  for (let one = error; one instanceof TemporalFailure; one = one.cause) one.stack = '';
  return error;
}

/** Found by this name in the bundle. */
export const interceptors = (): WorkflowInterceptors => ({ inbound: [inbound] });
