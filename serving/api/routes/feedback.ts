import { type FastifyInstance } from 'fastify';
import { type ApiContext } from '../context';
import { DOCS } from '../openapi';
import { Problem } from '../problem';
import { FeedbackBody, parseBody } from '../schemas';

/** `POST /feedback`: what turned out to be true of an answer, for the prediction log. */
export function feedbackRoute(app: FastifyInstance, { log }: ApiContext): void {
  app.post('/feedback', { schema: DOCS.feedback }, (request, reply) => {
    const { request_id, row, label } = parseBody(FeedbackBody, request.body);
    if (log === null) {
      throw new Problem(
        409,
        'no-log',
        'predictions are not logged here, so there is nothing to join it to; see serving.log in params.yaml',
      );
    }
    if (!log.feedback(request_id, row, label)) {
      throw new Problem(503, 'busy', 'the prediction log has no room now; try again in a second', {
        retryAfter: 1,
      });
    }
    return reply.code(202).send({ request_id, row, accepted: true });
  });
}
