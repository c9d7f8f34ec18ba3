import { STATUS_CODES } from 'node:http';
import { plainWords } from '../../contracts/plain-words';
import { type FieldMistake } from '../model/served-model';

/** One thing that is wrong with a request, for `errors` of a problem. */
export interface Mistake {
  /** Index of the row, where the body has rows. */
  row?: number;
  /** Name of the column, or path in the body. */
  field: string;
  /** What was there, bounded and quoted. */
  seen?: string;
  expected: string;
}

/** So many mistakes are named; a body of 10,000 wrong rows does not make an answer of as many. */
const MOST_NAMED = 100;

/** An answer that is an error: RFC 9457 problem details (https://www.rfc-editor.org/rfc/rfc9457). */
export class Problem extends Error {
  override readonly name = 'Problem';

  /**
   * @param code names the kind of problem; its `type` is `urn:retrain:problem:<code>`
   * @param detail one line: what is wrong, and what to do
   * @param options.retryAfter seconds after which it may be tried again
   * @param options.allow the methods that the path takes
   */
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly options: { errors?: readonly Mistake[]; retryAfter?: number; allow?: string } = {},
  ) {
    super(plainWords(detail));
  }

  /** Its body. @param requestId by which the logs know it */
  body(requestId: string): string {
    const { errors } = this.options;
    return JSON.stringify({
      type: `urn:retrain:problem:${this.code}`,
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      request_id: requestId,
      ...(errors === undefined ? {} : { errors: errors.slice(0, MOST_NAMED) }),
    });
  }
}

/** Rows that the model does not take: each wrong field, what it was and what it should be. */
export function wrongRows(mistakes: readonly FieldMistake[]): Problem {
  const [first] = mistakes;
  const more = mistakes.length > 1 ? ` (and ${mistakes.length - 1} more, in errors)` : '';
  const detail =
    first === undefined
      ? 'the rows do not fit the model'
      : `row ${first.row}, ${first.field}: ${first.seen}, expected ${first.expected}${more}`;
  return new Problem(422, 'rows', detail, {
    errors: mistakes.map(({ row, field, seen, expected }) => ({ row, field, seen, expected })),
  });
}

/** What a problem's answer is called. */
export const PROBLEM_TYPE = 'application/problem+json';
