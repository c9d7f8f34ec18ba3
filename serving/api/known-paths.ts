import { type FastifyInstance } from 'fastify';
import { Problem } from './problem';

/** Which methods each path takes, so that a wrong one is told from a path that is not there. */
export class KnownPaths {
  readonly #routes: { pattern: RegExp; method: string }[] = [];

  /** Hears of every route that is added from now on. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      const pattern = patternOf(url);
      for (const one of [method].flat()) this.#routes.push({ pattern, method: one });
    });
  }

  /** What a request gets that no route takes. @param url with its query */
  refusal(method: string, url: string): Problem {
    const path = url.split('?', 1)[0] ?? '';
    const routes = this.#routes.filter(({ pattern }) => pattern.test(path));
    const taken = [...new Set(routes.map((route) => route.method))].sort();
    const shown = `${method} ${path.slice(0, 200)}`;
    if (taken.length === 0 || taken.includes(method))
      return new Problem(404, 'no-route', `there is no ${shown}; GET /docs lists what there is`);
    const allow = taken.join(', ');
    return new Problem(405, 'method', `there is no ${shown}; it takes ${allow}`, { allow });
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replace(/[^\w-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
