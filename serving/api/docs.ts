import swaggerUi from '@fastify/swagger-ui';
import { type FastifyInstance } from 'fastify';
import { type LiveModel } from '../reload/live-model';
import { type ApiContext } from './context';
import { rowSchema, withCsv, withModel } from './openapi';

/** Its scripts and styles come from the package, and from nowhere else; what it writes into the page is a style of its own. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /openapi.json`, with the body of `/predict` as the model in production has it, and `GET /docs`, where it can be tried. */
export async function docsRoutes(app: FastifyInstance, { models, settings }: ApiContext): Promise<void> {
  let base: object | undefined;
  let latest: { live: LiveModel; text: string } | undefined;
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    uiConfig: { url: '/openapi.json', validatorUrl: null, persistAuthorization: false },
  });
  app.get('/openapi.json', { schema: { hide: true } }, (_, reply) => {
    base ??= withCsv(app.swagger());
    const live = models.production();
    if (live !== null && latest?.live !== live) {
      const { name, version, example } = live.facts;
      const described = {
        ...{ name, version, example: example[0], rowLimit: settings.rowLimit },
        row: rowSchema(live.served, example[0]),
      };
      latest = { live, text: JSON.stringify(withModel(base, described)) };
    }
    return reply
      .type('application/json; charset=utf-8')
      .send(live === null ? JSON.stringify(base) : latest?.text);
  });
}
