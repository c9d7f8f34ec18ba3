import { type IncomingMessage } from 'node:http';
import swagger from '@fastify/swagger';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { type PredictionLog } from '../log/prediction-log';
import { type ModelsInService } from '../reload/models-in-service';
import { Answering } from './answering';
import { type ApiContext, type ApiLogger } from './context';
import { docsRoutes } from './docs';
import { challengesOf, Guard, SECURITY_HEADERS } from './guard';
import { KnownPaths } from './known-paths';
import { ApiMetrics } from './metrics';
import { OPENAPI_INFO, securityOf } from './openapi';
import { Pressure } from './pressure';
import { Problem, PROBLEM_TYPE } from './problem';
import { jsonOf, textOf } from './read-body';
import { requestIdOf } from './request-key';
import { feedbackRoute } from './routes/feedback';
import { inferenceRoutes } from './routes/inference-v2';
import { CsvBody, invocationsRoute } from './routes/invocations';
import { predictRoute } from './routes/predict';
import { stateRoutes } from './routes/state';
import { type ApiSettings } from './settings';

export interface ApiParts {
  settings: ApiSettings;
  models: ModelsInService;
  /** Null: predictions are not logged. */
  log: PredictionLog | null;
  logger: ApiLogger;
  /** What time it is for the prediction log, epoch ms; default: the machine's clock. */
  now?: (() => number) | undefined;
  /** Adds routes of its own, such as the page. */
  extend?: (app: FastifyInstance, context: ApiContext) => void | Promise<void>;
}

/** What answered a request: for people that look at metrics, all that is not there is one route. */
const NO_ROUTE = 'none';

/** The prediction API: routes, and what stands before them. It listens when its caller says so. */
export async function createApi({
  settings,
  models,
  log,
  logger,
  now,
  extend,
}: ApiParts): Promise<FastifyInstance> {
  const metrics = new ApiMetrics();
  const guard = new Guard(settings);
  const pressure = new Pressure(settings);
  const answering = new Answering(settings, models, metrics, log, now);
  let draining = false;
  const context: ApiContext = {
    ...{ settings, models, metrics, guard, log, answering, logger },
    startedAt: Date.now(),
    draining: () => draining,
  };
  metrics.observe({ models, waiting: () => answering.scoring.waiting, log: () => log?.status() ?? null });

  const app = newServer(settings);
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  addParsers(app);
  const paths = new KnownPaths(app);

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    reply.header('x-request-id', request.id);
    const path = request.routeOptions.url ?? NO_ROUTE;
    if (pressure.tooHigh && request.method === 'POST') {
      metrics.refused('pressure');
      done(
        new Problem(
          503,
          'busy',
          `the server is ${Math.round(pressure.lagMs)} ms behind; try again in a second`,
          { retryAfter: 1 },
        ),
      );
      return;
    }
    try {
      guard.admit(request.method, path, request.headers, request.ip);
      // Before its body is read.
      if (request.is404) throw paths.refusal(request.method, request.url);
      requirePlain(request.headers['content-encoding']);
      done();
    } catch (error) {
      if (error instanceof Problem) metrics.refused(error.code);
      done(error as Error);
    }
  });
  app.addHook('onResponse', (request, reply, done) => {
    metrics.answered(request.routeOptions.url ?? NO_ROUTE, reply.statusCode, reply.elapsedTime / 1000);
    done();
  });
  app.addHook('preClose', (done) => {
    draining = true;
    done();
  });
  app.addHook('onClose', (_, done) => {
    pressure.close();
    done();
  });
  app.setErrorHandler<FastifyError | Problem>((error, request, reply) => {
    const problem = error instanceof Problem ? error : asProblem(error);
    if (problem.status === 500)
      logger.error('request failed', { requestId: request.id, error: error.stack ?? String(error) });
    const { retryAfter, allow } = problem.options;
    if (allow !== undefined) reply.header('allow', allow);
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    if (problem.status === 401) reply.header('www-authenticate', challengesOf(problem.code));
    return reply.code(problem.status).type(PROBLEM_TYPE).send(problem.body(request.id));
  });
  app.setNotFoundHandler((request) => {
    throw paths.refusal(request.method, request.url);
  });

  await app.register(swagger, { openapi: { openapi: '3.1.0', info: OPENAPI_INFO, ...securityOf(settings) } });
  await docsRoutes(app, context);
  await app.register(async (scope) => {
    stateRoutes(scope, context);
    predictRoute(scope, context);
    invocationsRoute(scope, context);
    inferenceRoutes(scope, context);
    feedbackRoute(scope, context);
    await extend?.(scope, context);
  });
  await app.ready();
  return app;
}

function newServer({ bodyLimit, requestTimeoutMs, connections, tls }: ApiSettings): FastifyInstance {
  const options = {
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    // Longer than that of proxies, so that it is not we who close a connection while a request comes.
    keepAliveTimeout: 75_000,
    genReqId: (request: IncomingMessage) => requestIdOf(request),
    logger: false,
    routerOptions: { maxParamLength: 500 },
    return503OnClosing: true,
    forceCloseConnections: 'idle',
  } as const;
  const http = {
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
    maxHeaderSize: 16 << 10,
  };
  const app: FastifyInstance =
    tls === null ? fastify({ ...options, http }) : fastify({ ...options, https: { ...tls, ...http } });
  app.server.maxConnections = connections;
  return app;
}

/** JSON and CSV, and nothing else. */
function addParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => {
    parsed(() => jsonOf(body as Buffer), done);
  });
  app.addContentTypeParser(['text/csv', 'application/csv'], { parseAs: 'buffer' }, (_, body, done) => {
    parsed(() => new CsvBody(textOf(body as Buffer)), done);
  });
}

function parsed(read: () => unknown, done: (error: Error | null, body?: unknown) => void): void {
  let body: unknown;
  try {
    body = read();
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, body);
}

/** A small body may unpack to any size. */
function requirePlain(encoding: string | undefined): void {
  if (encoding === undefined || encoding === 'identity') return;
  throw new Problem(415, 'encoding', `the body is packed (${encoding.slice(0, 40)}), expected it plain`);
}

/** What the framework refuses, in our form. */
function asProblem({ code, message, statusCode = 500 }: FastifyError): Problem {
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem(
        413,
        'too-large',
        'the body is larger than this server takes; send fewer rows at a time',
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem(
        415,
        'media-type',
        'the body is of a kind that is not taken; send Content-Type: application/json, or text/csv to /invocations',
      );
    default:
      if (statusCode < 500) return new Problem(statusCode, 'request', message.slice(0, 300));
      return new Problem(500, 'unforeseen', 'the server made a mistake; its log has this request’s id');
  }
}
