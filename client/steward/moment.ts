import { RetrainError } from '../../contracts/errors';

/**
 * A moment as people write it: `2026-03-01`, `2026-03-01 14:03`, `2026-03-01T14:03:20+01:00`. Without a zone: UTC.
 *
 * @param option for the message
 * @returns epoch ms
 * @throws RetrainError USAGE
 */
export function parseMoment(text: string, option = '--at'): number {
  const [, day, time = '00:00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?\s*(Z|[+-]\d{2}:\d{2})?$/.exec(
      text.trim(),
    ) ?? [];
  const moment = day === undefined ? NaN : Date.parse(`${day}T${time}${zone}`);
  if (Number.isFinite(moment)) return moment;
  throw new RetrainError('USAGE', `${option} takes a time such as '2026-03-01 14:03' (UTC), got ${text}`);
}
