import { Context } from '@temporalio/activity';
import { type NoticeActivities } from '../contracts/activities';
import { RetrainError } from '../contracts/errors';
import { type Notice } from '../contracts/notice';
import { plainLine, plainWords } from '../contracts/plain-words';
import { type NoticeChannel } from '../integrations/notify/channel';

export interface NoticeDeps {
  channels: readonly NoticeChannel[];
  /** Pages of a run; only the worker knows the addresses. */
  links: (notice: Notice) => Notice['links'];
}

/**
 * Delivers notices. At least once: an attempt whose answer was lost is repeated with the same notice id, by
 * which receivers can drop repeats.
 */
export function createNoticeActivities({ channels, links }: NoticeDeps): NoticeActivities {
  return {
    async listChannels() {
      return channels.map(({ name }) => name);
    },

    async sendNotice({ channel, notice }) {
      const found = channels.find(({ name }) => name === channel);
      if (found === undefined) {
        throw new RetrainError(
          'NOTIFIER_FAILED',
          `this worker has no channel ${channel} configured, which the worker that announced it had; set its variables here too`,
        );
      }
      await found.send(
        { ...cleaned(notice), links: { ...links(notice), ...notice.links } },
        Context.current().cancellationSignal,
      );
    },
  };
}

/** What a notice quotes of others, as it may reach a person. */
export function cleaned(notice: Notice): Notice {
  const { title, text, reason, model, metrics } = notice;
  return {
    ...notice,
    title: plainLine(title),
    text: plainWords(text),
    reason: plainWords(reason),
    model: plainLine(model),
    ...(metrics === undefined
      ? {}
      : {
          metrics: Object.fromEntries(
            Object.entries(metrics).map(([name, value]) => [plainLine(name), value]),
          ),
        }),
  };
}
