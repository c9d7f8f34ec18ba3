import { type FastifyInstance } from 'fastify';
import { type ApiContext } from '../api/context';
import { type LiveModel } from '../reload/live-model';
import { type LiveState, type ModelHistory, type PageModel } from './page-input';
import { pageHtml } from './page-html';
import { PAGE_SCRIPT } from './page-script';
import { PAGE_STYLE } from './page-style';

/** The page's own script and style, and requests to where it came from: nothing written into it can run or call home. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** What the page asks of others. */
export interface PageSource {
  /** Versions and moves of a model; may reject. */
  history(model: string): Promise<ModelHistory>;
  /** Page of a version in MLflow's UI; null: not known. */
  versionLink(name: string, version: string): string | null;
}

/** How long the page waits for MLflow before it shows the rest, and how long it takes an answer for fresh. */
const HISTORY_WITHIN_MS = 2_000;
const HISTORY_FRESH_MS = 15_000;

/** Adds `/ui`, its style and script, and `/ui/live.json`. */
export function registerPage(app: FastifyInstance, context: PageContext, source: PageSource): void {
  const historyOf = remembered((model) => source.history(model));
  const options = { schema: { hide: true } };

  app.get('/ui', options, async (_, reply) => {
    const live = context.models.production();
    const model = live === null ? null : pageModel(live, source);
    const history = model === null ? { versions: [], moves: [] } : await historyOf(model.name);
    return reply
      .header('content-security-policy', PAGE_POLICY)
      .type('text/html; charset=utf-8')
      .send(pageHtml({ model, state: liveState(context), history }));
  });
  app.get('/ui/', options, (_, reply) => reply.redirect('/ui', 308));
  app.get('/ui/page.css', options, (_, reply) => reply.type('text/css; charset=utf-8').send(PAGE_STYLE));
  app.get('/ui/page.js', options, (_, reply) =>
    reply.type('text/javascript; charset=utf-8').send(PAGE_SCRIPT),
  );
  app.get('/ui/live.json', options, () => liveState(context));
}

type PageContext = Pick<ApiContext, 'models' | 'metrics' | 'answering' | 'log'>;

function liveState({ models, metrics, answering, log }: PageContext): LiveState {
  const live = models.production();
  const status = models.status();
  const counts = live === null ? null : metrics.countsOf(live, 'production');
  const logged = log?.status();
  return {
    words: live === null ? 'No model' : status.state === 'ok' ? 'Healthy' : 'Degraded',
    why: status.why,
    version: live?.facts.version ?? null,
    figures: {
      requests: metrics.served,
      rows: counts?.rows ?? null,
      waiting: answering.scoring.waiting,
      logged: logged?.written ?? null,
      dropped: logged?.dropped ?? null,
      reloads: status.reloads,
    },
    classes: live?.served.task === 'classification' ? { ...counts?.byClass } : {},
  };
}

function pageModel({ facts, served }: LiveModel, source: PageSource): PageModel {
  const { name, version, alias, runId, dataHash, gitCommit, metrics, signed, loadedAt } = facts;
  return {
    ...{ name, version, alias, runId, dataHash, gitCommit, metrics, signed, loadedAt },
    task: served.task,
    engine: served.engine,
    fields: served.fields,
    example: facts.example[0] ?? {},
    link: source.versionLink(name, version),
  };
}

/** Asks at most once in a while and for one model at a time; what is late or refused is the last answer, or null. */
function remembered(
  ask: (model: string) => Promise<ModelHistory>,
): (model: string) => Promise<ModelHistory | null> {
  let last: { model: string; at: number; history: ModelHistory } | null = null;
  let asking: Promise<void> | null = null;
  return async (model) => {
    if (last?.model === model && Date.now() - last.at < HISTORY_FRESH_MS) return last.history;
    asking ??= ask(model)
      .then((history) => {
        last = { model, at: Date.now(), history };
      })
      .catch(() => undefined)
      .finally(() => {
        asking = null;
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, HISTORY_WITHIN_MS);
    });
    await Promise.race([asking, late]);
    clearTimeout(timer);
    return last?.model === model ? last.history : null;
  };
}
