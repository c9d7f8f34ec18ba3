import type { NoticeChannel } from './channel';

/** The part of a logger that notices need; Temporal’s and pino’s forms of call fit. */
export interface NoticeLog {
  info(message: string, fields: Record<string, unknown>): unknown;
  warn(message: string, fields: Record<string, unknown>): unknown;
}

/** Writes each notice to the log: the channel that is always there. */
export function logChannel(log: NoticeLog): NoticeChannel {
  return {
    name: 'log',
    async send(notice) {
      const { id, kind, title, text, model, pipelineKey, workflowId, mlflowRunId, modelVersion, links } =
        notice;
      const fields = {
        noticeId: id,
        kind,
        title,
        text,
        model,
        pipelineKey,
        workflowId,
        mlflowRunId,
        modelVersion,
        links,
      };
      if (kind === 'promotion') log.info('notice', fields);
      else log.warn('notice', fields);
    },
  };
}
