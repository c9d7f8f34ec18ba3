import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type HttpExchange, type HttpReply, type HttpRequest } from '../integrations/mlflow/exchange';

type Body = Record<string, unknown>;

interface Run {
  info: Body & { run_id: string };
  tags: Map<string, string>;
}

/**
 * An MLflow that answers at once, from memory: takes MLflow's own time out of a throughput benchmark. It knows
 * the requests of a run, and no more.
 */
export class InstantMlflow implements HttpExchange {
  private readonly runs = new Map<string, Run>();
  private readonly versions = new Map<string, Body[]>();
  private readonly aliases = new Map<string, string>();
  private readonly files = new Map<string, Buffer>();
  /** By the run that made them. */
  private readonly models = new Map<string, Body>();

  async send(request: HttpRequest): Promise<HttpReply> {
    const { pathname, searchParams } = request.url;
    const folder = searchParams.get('path');
    if (pathname.endsWith('/mlflow-artifacts/artifacts'))
      return reply(200, this.list(pathname, folder ?? ''));
    if (pathname.includes('/mlflow-artifacts/')) return this.file(request, pathname);
    const body = typeof request.body === 'string' ? (JSON.parse(request.body) as Body) : {};
    const call = pathname.split('/mlflow/')[1] ?? '';
    const answer = this.answer(request.method, call, body, searchParams);
    return answer === null
      ? reply(404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'none' })
      : reply(200, answer);
  }

  async close(): Promise<void> {
    this.runs.clear();
  }

  private async file(request: HttpRequest, name: string): Promise<HttpReply> {
    if (request.method === 'PUT') {
      const sent = request.body;
      this.files.set(
        name,
        sent instanceof Readable ? await buffer(sent) : Buffer.from((sent ?? '') as Uint8Array),
      );
      return reply(200, {});
    }
    const found = this.files.get(name);
    return found === undefined
      ? reply(404, {})
      : { status: 200, header: () => undefined, body: Readable.from([found]) };
  }

  /** What lies in a folder: a name of its own each, and its size unless it is a folder. */
  private list(root: string, folder: string): Body {
    const start = `${root}/${folder === '' ? '' : `${folder}/`}`;
    const found = new Map<string, Body>();
    for (const [name, { length }] of this.files) {
      if (!name.startsWith(start)) continue;
      const [path = '', ...below] = name.slice(start.length).split('/');
      found.set(path, below.length > 0 ? { path, is_dir: true } : { path, is_dir: false, file_size: length });
    }
    return { files: [...found.values()] };
  }

  private answer(method: string, call: string, body: Body, query: URLSearchParams): Body | null {
    switch (call) {
      case 'experiments/get-by-name':
        return {
          experiment: { experiment_id: '1', name: query.get('experiment_name'), lifecycle_stage: 'active' },
        };
      case 'runs/create':
        return { run: this.create(body) };
      case 'runs/get':
        return { run: this.shown(this.runs.get(query.get('run_id') ?? '')) };
      case 'runs/search':
        return { runs: this.search(String(body['filter'])) };
      case 'runs/log-batch':
        for (const { key, value } of (body['tags'] ?? []) as { key: string; value: string }[]) {
          this.runs.get(String(body['run_id']))?.tags.set(key, value);
        }
        return {};
      case 'runs/update':
        Object.assign(this.runs.get(String(body['run_id']))?.info ?? {}, { status: body['status'] });
        return {};
      case 'logged-models/search':
        return { models: this.modelsOf(String(body['filter'])) };
      case 'logged-models':
        return { model: this.createModel(String(body['source_run_id'])) };
      case 'model-versions/create':
        return { model_version: this.createVersion(body) };
      case 'model-versions/search':
        return { model_versions: this.versionsOf(query.get('filter') ?? '') };
      case 'registered-models/get':
        return { registered_model: { name: query.get('name'), aliases: [] } };
      case 'registered-models/alias':
        if (method === 'POST') {
          this.aliases.set(`${String(body['name'])}@${String(body['alias'])}`, String(body['version']));
          return {};
        }
        return this.aliased(query.get('name') ?? '', query.get('alias') ?? '');
      default:
        return method === 'GET' && call.startsWith('logged-models/') ? this.modelOf(call) : {};
    }
  }

  private create(body: Body): Body {
    const id = randomUUID().replaceAll('-', '');
    const tags = new Map(
      (body['tags'] as { key: string; value: string }[]).map(({ key, value }) => [key, value]),
    );
    const info = {
      run_id: id,
      experiment_id: '1',
      status: 'RUNNING',
      start_time: Date.now(),
      artifact_uri: `mlflow-artifacts:/1/${id}/artifacts`,
      lifecycle_stage: 'active',
    };
    const run = { info, tags };
    this.runs.set(id, run);
    return this.shown(run);
  }

  private shown(run: Run | undefined): Body {
    const tags = [...(run?.tags ?? [])].map(([key, value]) => ({ key, value }));
    return { info: run?.info ?? {}, data: { tags, params: [], metrics: [] } };
  }

  private createModel(runId: string): Body {
    const id = `m-${randomUUID().replaceAll('-', '')}`;
    const model = { info: { model_id: id, artifact_uri: `mlflow-artifacts:/1/models/${id}/artifacts` } };
    this.models.set(runId, model);
    return model;
  }

  private modelOf(call: string): Body | null {
    const id = call.slice('logged-models/'.length);
    const found = [...this.models.values()].find(({ info }) => (info as Body)['model_id'] === id);
    return found === undefined ? null : { model: found };
  }

  private modelsOf(filter: string): Body[] {
    const found = this.models.get(/source_run_id = '([^']+)'/.exec(filter)?.[1] ?? '');
    return found === undefined ? [] : [found];
  }

  private search(filter: string): Body[] {
    const wanted = /pipeline_key = '([0-9a-f]+)'/.exec(filter)?.[1];
    return [...this.runs.values()]
      .filter(({ tags }) => tags.get('pipeline_key') === wanted)
      .map((run) => this.shown(run));
  }

  private createVersion({ name, run_id, source, tags }: Body): Body {
    const versions = this.versions.get(String(name)) ?? [];
    this.versions.set(String(name), versions);
    const version = { name, run_id, source, tags, version: String(versions.length + 1) };
    versions.push(version);
    return version;
  }

  private versionsOf(filter: string): Body[] {
    const [, name = '', runId] = /name='([^']+)'(?: and run_id='([^']+)')?/.exec(filter) ?? [];
    return (this.versions.get(name) ?? []).filter(
      (version) => runId === undefined || version['run_id'] === runId,
    );
  }

  private aliased(name: string, alias: string): Body | null {
    const version = this.aliases.get(`${name}@${alias}`);
    const found = (this.versions.get(name) ?? []).find((candidate) => candidate['version'] === version);
    return found === undefined ? null : { model_version: found };
  }
}

function reply(status: number, body: Body): HttpReply {
  return {
    status,
    header: (name) => (name === 'content-type' ? 'application/json' : undefined),
    body: Readable.from([Buffer.from(JSON.stringify(body))]),
  };
}
