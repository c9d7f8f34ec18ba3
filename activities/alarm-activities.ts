import { Context } from '@temporalio/activity';
import { type Client } from '@temporalio/client';
import { type AlarmActivities, type AlarmTraining } from '../contracts/alarm';
import { plainLine } from '../contracts/plain-words';
import { RetrainError } from '../contracts/errors';
import { VERSION_TAG } from '../contracts/names';
import { type RunSpec, type TrainingResult } from '../contracts/run';
import { type Mlflow } from '../integrations/mlflow/client';
import { alarmTags, readAlarmState } from '../integrations/mlflow/alarm-tags';
import { notFound } from '../integrations/mlflow/errors';
import { fromTemporal } from '../temporal/errors';
import { startOrAttach } from '../temporal/start-run';
import { withHeartbeat } from './heartbeat';

export interface AlarmDeps {
  client: Client;
  /** For messages. */
  address: string;
  taskQueue: string;
  mlflow: Mlflow;
  /** The spec of a training as the project's params file says it now, which an alarm asked for. */
  resolve: (params: string, alarm: NonNullable<RunSpec['alarm']>, signal: AbortSignal) => Promise<RunSpec>;
  findFinished: (spec: RunSpec) => Promise<TrainingResult | null>;
}

/** What a model's alarm desk does: the tags that show its alarms, and the training that one asks for. */
export function createAlarmActivities({
  client,
  address,
  taskQueue,
  mlflow,
  resolve,
  findFinished,
}: AlarmDeps): AlarmActivities {
  return {
    /** Reads only. */
    async readAlarms({ model }) {
      return withHeartbeat((signal) => readAlarmState(mlflow, model, signal));
    },

    /**
     * Idempotent: the same tags again. Those of the version before are emptied last: a desk that begins between the two finds the state
     * twice, and takes the newer version's.
     */
    async showAlarms({ model, before, state }) {
      const { version } = state;
      if (version === null) return;
      await withHeartbeat(async (signal) => {
        const write = async (number: string, tags: Record<string, string>): Promise<void> => {
          try {
            await mlflow.registry.setVersionTags(model, number, tags, signal);
          } catch (error) {
            // Somebody deleted it: there is nothing to show them on.
            if (!notFound(error)) throw error;
          }
        };
        await write(version, alarmTags(state));
        if (before !== null && before !== version) {
          await write(before, { [VERSION_TAG.alarm]: '', [VERSION_TAG.alarmState]: '' });
        }
      });
    },

    /** Idempotent: the run of a pipeline key is one, and what starts it twice joins it. */
    async trainOnAlarm({ finding, causes, params }) {
      const { attempt, workflowExecution } = Context.current().info;
      return withHeartbeat(async (signal): Promise<AlarmTraining> => {
        const alarm = {
          causes: causes.slice(0, 5).map((cause) => plainLine(cause).slice(0, 300)),
          report: finding.report?.url ?? null,
        };
        const spec = await resolve(params, alarm, signal);
        if (spec.params.model !== finding.model) {
          throw new RetrainError(
            'CONFIG_INVALID',
            `${params} trains ${spec.params.model}, and the alarm is of ${finding.model}; name its params file in the schedule (--params)`,
          );
        }
        const starterId = `${workflowExecution?.runId ?? ''}-${finding.checkId}`;
        try {
          const started = await startOrAttach(spec, {
            ...{ client, taskQueue, starterId, findFinished },
            memo: { alarm: { ...alarm, checkId: finding.checkId, sha256: finding.report?.sha256 ?? null } },
          });
          if (started.how === 'finished') {
            const { modelVersion, reason } = started.result;
            return { how: 'finished', workflowId: null, reason: `version ${modelVersion}: ${reason}` };
          }
          const reason = attempt === 1 ? '' : `attempt ${attempt}`;
          return { how: started.how, workflowId: started.workflowId, reason };
        } catch (error) {
          throw fromTemporal(error, address);
        }
      });
    },
  };
}
