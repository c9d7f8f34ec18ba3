import type { Notice } from '../../contracts/notice';
import type { NoticeChannel } from './channel';
import { linkRows, noticeMetrics } from './notice-text';
import { post } from './post';
import type { Secret } from '../files/secret';

/**
 * A Slack-compatible incoming webhook. `text` says it all, as Mattermost and Rocket.Chat show nothing else; Slack
 * shows the blocks, and `text` in its notification.
 * Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slackChannel(url: Secret): NoticeChannel {
  return {
    name: 'slack',
    async send(notice, signal) {
      await post({
        channel: 'slack',
        variable: 'SLACK_WEBHOOK_URL',
        url: url.reveal(),
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify(slackMessage(notice)),
        signal,
      });
    },
  };
}

/** The message’s JSON. */
export function slackMessage(notice: Notice): object {
  const title = `*${escaped(notice.title)}*`;
  const text = escaped(notice.text);
  const metrics = noticeMetrics(notice).map(([name, value]) => `${escaped(name)} \`${value}\``);
  const links = linkRows(notice).map(([name, url]) => `<${escaped(url).replaceAll('|', '%7C')}|${name}>`);
  const lines = [`${title}\n${text}`, metrics.join('  '), links.join('  ')].filter((line) => line !== '');
  const context = `${escaped(notice.workflowId)}  ${notice.pipelineKey.slice(0, 12)}`;
  return {
    text: lines.join('\n'),
    blocks: [
      ...lines.map((line) => ({ type: 'section', text: mrkdwn(line) })),
      { type: 'context', elements: [mrkdwn(context)] },
    ],
  };
}

/** Slack refuses a section of more than 3000 characters. Verbatim: an address in a column's name becomes no link. */
function mrkdwn(text: string): object {
  return { type: 'mrkdwn', verbatim: true, text: text.length <= 3000 ? text : `${text.slice(0, 2999)}…` };
}

/** Slack’s three control characters; without this a column named `<!channel>` would wake everybody. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
