import { type FastifyInstance } from 'fastify';
import { type ApiContext } from '../context';
import { modelInfo } from '../model-info';
import { DOCS } from '../openapi';
import { Problem } from '../problem';

/** How the API and its model are: `/`, `/live`, `/ready`, `/health`, `/ping`, `/model/info`, `/metrics`, `/admin/reload`. */
export function stateRoutes(app: FastifyInstance, context: ApiContext): void {
  const { models, metrics, guard } = context;

  app.get('/', { schema: DOCS.root }, () => {
    const live = models.production();
    return {
      status: live === null ? 'waiting' : 'ok',
      service: 'retrain',
      model: live === null ? null : `${live.facts.name} v${live.facts.version}`,
      docs: '/docs',
    };
  });

  app.get('/live', { schema: DOCS.live }, () => ({ live: true }));

  app.get('/ready', { schema: DOCS.ready }, (_, reply) => {
    const { why } = models.status();
    const ready = models.production() !== null && !context.draining();
    if (ready) return { ready: true };
    return reply
      .code(503)
      .header('retry-after', '1')
      .send({ ready: false, why: context.draining() ? 'it is shutting down' : why });
  });

  // MLflow's scoring server answers this one.
  app.get('/ping', { schema: DOCS.ping }, (_, reply) =>
    reply
      .code(models.production() === null ? 503 : 200)
      .type('text/plain')
      .send('\n'),
  );

  app.get('/health', { schema: DOCS.health }, (_, reply) => {
    const status = models.status();
    const live = models.production();
    const now = Date.now();
    const log = context.log?.status();
    return reply.code(live === null ? 503 : 200).send({
      status: live === null ? 'unhealthy' : status.state === 'ok' ? 'healthy' : 'degraded',
      why: status.why,
      model_loaded: live !== null,
      model:
        live === null
          ? null
          : { name: live.facts.name, version: live.facts.version, loaded_at: iso(live.facts.loadedAt) },
      mlflow: { reachable: status.mlflow.reachable, last_answer_at: iso(status.mlflow.lastAnswerAt) },
      last_check_seconds_ago:
        status.lastCheckAt === null ? null : Math.round((now - status.lastCheckAt) / 100) / 10,
      refused_versions: status.refused.map(({ version, why, at }) => ({ version, why, at: iso(at) })),
      prediction_log: log ?? null,
      uptime_seconds: Math.round((now - context.startedAt) / 1000),
    });
  });

  app.get('/model/info', { schema: DOCS.modelInfo }, () => {
    const info = modelInfo(context);
    if (info !== null) return info;
    throw new Problem(503, 'no-model', models.status().why ?? 'no model is loaded yet', { retryAfter: 1 });
  });

  app.get('/metrics', { schema: DOCS.metrics }, async (_, reply) => {
    const text = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(text);
  });

  app.post('/admin/reload', { schema: DOCS.reload }, async (request) => {
    guard.requireAdmin(request.headers);
    const status = await models.reload();
    return {
      state: status.state,
      why: status.why,
      model_version: models.production()?.facts.version ?? null,
    };
  });
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
