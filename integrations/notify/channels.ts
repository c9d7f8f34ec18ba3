import type { NoticeChannel } from './channel';
import { emailChannel } from './email-channel';
import type { NoticeSettings } from './settings';
import { slackChannel } from './slack-channel';
import { webhookChannel } from './webhook-channel';

/** Every channel that the settings name. The log is told by the workflow itself, so it needs no delivery. */
export function channelsFrom(settings: NoticeSettings): NoticeChannel[] {
  const { slack, webhook, email } = settings;
  return [
    ...(slack === undefined ? [] : [slackChannel(slack.url)]),
    ...(webhook === undefined ? [] : [webhookChannel(webhook.url, webhook.secret)]),
    ...(email === undefined ? [] : [emailChannel(email)]),
  ];
}
