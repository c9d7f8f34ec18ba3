import { type Client } from '@temporalio/client';
import { QUERY, stewardWorkflowId } from '../../../contracts/names';
import { type LedgerEntry, type LedgerPage, type Standing } from '../../../contracts/steward';
import { sleep } from '../pipeline/test-project';

/** What a steward says of itself. */
export class StewardView {
  constructor(
    private readonly client: Client,
    private readonly model: string,
  ) {}

  async standing(): Promise<Standing> {
    return this.client.workflow.getHandle(stewardWorkflowId(this.model)).query<Standing>(QUERY.standing);
  }

  /** Those that it has at hand. */
  async ledger(): Promise<LedgerEntry[]> {
    const handle = this.client.workflow.getHandle(stewardWorkflowId(this.model));
    const entries: LedgerEntry[] = [];
    for (let from = 0; ;) {
      const page = await handle.query<LedgerPage, [{ from: number }]>(QUERY.ledger, { from });
      entries.push(...page.entries);
      from = (page.entries.at(-1)?.index ?? page.total) + 1;
      if (from >= page.total) return entries;
    }
  }

  /** Until the ledger is in MLflow as a whole. */
  async untilMirrored(): Promise<Standing> {
    for (;;) {
      const standing = await this.standing();
      if (standing.mirrored === standing.entries) return standing;
      await sleep(100);
    }
  }
}
