import type { NoticeChannel } from './channel';
import { cloudEvent } from './cloud-event';
import { post } from './post';
import type { Secret } from '../files/secret';
import { signatureHeaders } from './signature';

/** A signed webhook: a CloudEvents 1.0 event in structured JSON, with Standard Webhooks signature headers. */
export function webhookChannel(url: Secret, secret: Secret, now: () => number = Date.now): NoticeChannel {
  return {
    name: 'webhook',
    async send(notice, signal) {
      const body = JSON.stringify(cloudEvent(notice));
      await post({
        channel: 'webhook',
        variable: 'RETRAIN_WEBHOOK_URL',
        url: url.reveal(),
        headers: {
          'content-type': 'application/cloudevents+json; charset=utf-8',
          ...signatureHeaders(secret.reveal(), notice.id, now(), body),
        },
        body,
        secrets: [secret.reveal()],
        signal,
      });
    },
  };
}
