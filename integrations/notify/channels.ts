import type { NoticeChannel } from './channel';
import { emailChannel } from './email-channel';
import { logChannel, type NoticeLog } from './log-channel';
import type { NoticeSettings } from './settings';
import { slackChannel } from './slack-channel';
import { webhookChannel } from './webhook-channel';

/** The log, and every channel that the settings name. */
export function channelsFrom(settings: NoticeSettings, log: NoticeLog): NoticeChannel[] {
  const { slack, webhook, email } = settings;
  return [
    logChannel(log),
    ...(slack === undefined ? [] : [slackChannel(slack.url)]),
    ...(webhook === undefined ? [] : [webhookChannel(webhook.url, webhook.secret)]),
    ...(email === undefined ? [] : [emailChannel(email)]),
  ];
}
