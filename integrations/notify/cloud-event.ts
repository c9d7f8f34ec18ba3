import type { Notice } from '../../contracts/notice';

/** A CloudEvents 1.0 event. Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export interface CloudEvent {
  specversion: '1.0';
  /** The notice’s id, the same for each attempt: with `source` it tells receivers what they have had. */
  id: string;
  source: string;
  /** `retrain.notice.promotion`, `….gate_failed` or `….failure` */
  type: string;
  subject: string;
  time: string;
  datacontenttype: 'application/json';
  data: Notice;
}

/** The notice as an event, in the structured JSON form (`application/cloudevents+json`). */
export function cloudEvent(notice: Notice): CloudEvent {
  return {
    specversion: '1.0',
    id: notice.id,
    source: `/retrain/models/${encodeURIComponent(notice.model)}`,
    type: `retrain.notice.${notice.kind}`,
    subject: notice.workflowId,
    time: notice.at,
    datacontenttype: 'application/json',
    data: notice,
  };
}
