import { log, proxyActivities } from '@temporalio/workflow';
import { type DeliverNoticeInput, type NoticeActivities } from '../contracts/activities';
import { notifying } from './activity-options';

const { sendNotice, listChannels } = proxyActivities<NoticeActivities>(notifying);

/**
 * Tells one notice to each channel, on its own: a channel that is down holds up neither the others nor
 * the run that the notice is about, which has ended already.
 */
export async function deliverNotice({ notice, channels }: DeliverNoticeInput): Promise<void> {
  const names = channels ?? (await listChannels());
  await Promise.all(
    names.map(async (channel) => {
      try {
        await sendNotice.executeWithOptions({ ...notifying, summary: `${notice.kind} by ${channel}` }, [
          { channel, notice },
        ]);
      } catch (error) {
        log.error('notice not delivered', { channel, noticeId: notice.id, reason: String(error) });
      }
    }),
  );
}
