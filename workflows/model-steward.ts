import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { type PromoteOutput } from '../contracts/activities';
import { QUERY, SIGNAL, UPDATE } from '../contracts/names';
import {
  type DecideInput,
  type HandAnswer,
  type HandInput,
  type LedgerPage,
  type PromoteByHandInput,
  type RollbackInput,
  type Standing,
  type StewardInput,
} from '../contracts/steward';
import { StewardDesk } from './steward-desk';
import { checkHandInput, checkPromotion, checkRollback } from './steward-checks';

const standingQuery = defineQuery<Standing>(QUERY.standing);
const ledgerQuery = defineQuery<LedgerPage, [{ from?: number }?]>(QUERY.ledger);
const decideUpdate = defineUpdate<PromoteOutput, [DecideInput]>(UPDATE.decide);
const approveUpdate = defineUpdate<HandAnswer, [HandInput]>(UPDATE.approve);
const rejectUpdate = defineUpdate<HandAnswer, [HandInput]>(UPDATE.reject);
const promoteUpdate = defineUpdate<HandAnswer, [PromoteByHandInput]>(UPDATE.promote);
const rollbackUpdate = defineUpdate<HandAnswer, [RollbackInput]>(UPDATE.rollback);
const withdrawSignal = defineSignal<[{ version: string }]>(SIGNAL.withdraw);

/**
 * The one that moves the aliases of a registered model. Runs for as long as the model is used, and continues as new with all
 * that it knows; of the ledger, what MLflow does not have yet and some more.
 */
export async function modelSteward({ model, state }: StewardInput): Promise<never> {
  const desk = new StewardDesk(model, state);
  setHandler(standingQuery, () => desk.standing(), {
    description: 'What is production, and what waits for approval.',
  });
  setHandler(ledgerQuery, ({ from = 0 } = {}) => desk.page(from), {
    description: 'Entries of the ledger from number `from` on; those that are no longer here are in MLflow.',
  });
  setHandler(decideUpdate, (ask) => desk.decide(ask), {
    description: 'Asked by pipelines: what becomes of a candidate.',
    validator: (ask: DecideInput) => {
      const its = (ask as Partial<DecideInput> | undefined)?.spec?.params?.model;
      if (its === undefined) {
        throw ApplicationFailure.nonRetryable(
          'decide is asked by runs, which bring a scored candidate; to put a version into production: promote',
          'USAGE',
        );
      }
      if (its !== model) {
        throw ApplicationFailure.nonRetryable(
          `this is the steward of ${model}, and the candidate is of ${its}`,
          'USAGE',
        );
      }
      desk.checkLine(ask);
    },
  });
  setHandler(approveUpdate, (ask) => desk.approve(ask), {
    description:
      'Puts a candidate into production that waits for it: {"version": "3", "by": "ann", "reason": "…"}',
    validator: (ask: HandInput) => {
      checkHandInput(ask);
      desk.checkAnswer(ask);
    },
  });
  setHandler(rejectUpdate, (ask) => desk.reject(ask), {
    description: 'Leaves a candidate in staging: {"version": "3", "by": "ann", "reason": "…"}',
    validator: (ask: HandInput) => {
      checkHandInput(ask);
      desk.checkAnswer(ask);
    },
  });
  setHandler(promoteUpdate, (ask) => desk.promote(ask), {
    description: 'Puts a version into production by hand: {"version": "3", "by": "ann", "reason": "…"}',
    validator: checkPromotion,
  });
  setHandler(rollbackUpdate, (ask) => desk.rollBack(ask), {
    description:
      'Back to the version before, or to one that was production: {"to": "2", "by": "ann", "reason": "…"}',
    validator: checkRollback,
  });
  setHandler(withdrawSignal, ({ version }) => desk.withdraw(version), {
    description: 'The run of a candidate ended before it came back scored.',
  });

  await desk.open();
  await desk.untilFull();
  await condition(allHandlersFinished);
  return continueAsNew<typeof modelSteward>({ model, state: desk.close() });
}
