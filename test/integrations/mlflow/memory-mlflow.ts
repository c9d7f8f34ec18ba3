import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { HttpExchange, HttpReply, HttpRequest } from '../../../integrations/mlflow/exchange';

type Body = Record<string, unknown>;
type Pair = { key: string; value: string };

interface Run {
  id: string;
  experimentId: string;
  name: string;
  status: string;
  startedAt: number;
  endedAt?: number;
  deleted: boolean;
  tags: Map<string, string>;
  params: Map<string, string>;
  metrics: Map<string, number>;
}

interface Version {
  number: string;
  runId: string;
  source: string;
  stage: string;
  createdAt: number;
  tags: Map<string, string>;
}

interface Model {
  versions: Version[];
  /** Numbers are not given twice, even after a deletion. */
  last: number;
  aliases: Map<string, string>;
  tags: Map<string, string>;
}

/** An answer that is not 200. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly serverCode: string,
    message: string,
  ) {
    super(message);
  }
}

const none = (what: string): Refusal => new Refusal(404, 'RESOURCE_DOES_NOT_EXIST', `${what} not found`);
const taken = (what: string): Refusal =>
  new Refusal(400, 'RESOURCE_ALREADY_EXISTS', `${what} already exists`);
const invalid = (what: string): Refusal => new Refusal(400, 'INVALID_PARAMETER_VALUE', what);

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''));
const pairs = (given: unknown): Pair[] => (given ?? []) as Pair[];
const listed = (map: ReadonlyMap<string, unknown>): { key: string; value: unknown }[] =>
  [...map].map(([key, value]) => ({ key, value }));

/**
 * MLflow in memory, with the traits that our code has to live with: creating a run or a version again makes another one, params
 * can't be changed, an alias that isn't set is a bad request, searches leave aliases out. It knows the requests that
 * we send, and refuses others. `test/integration/memory-mlflow.test.ts` holds it and the real server to the same expectations.
 */
export class MemoryMlflow implements HttpExchange {
  private readonly experiments = new Map<string, string>();
  private readonly runs = new Map<string, Run>();
  private readonly models = new Map<string, Model>();
  private readonly files = new Map<string, Buffer>();

  async send(request: HttpRequest): Promise<HttpReply> {
    try {
      const [, call] = /^\/api\/2\.0\/mlflow\/(.*)$/.exec(request.url.pathname) ?? [];
      if (call === undefined) return await this.artifact(request);
      const query = Object.fromEntries(request.url.searchParams);
      const sent = typeof request.body === 'string' ? (JSON.parse(request.body) as Body) : {};
      return reply(200, this.answer(request.method, call, { ...query, ...sent }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return reply(error.status, { error_code: error.serverCode, message: error.message });
    }
  }

  async close(): Promise<void> {
    // Nothing is open, and others may still look at what there is.
  }

  private answer(method: string, call: string, body: Body): Body {
    switch (`${method} ${call}`) {
      case 'GET experiments/get-by-name':
        return { experiment: this.experiment(text(body['experiment_name'])) };
      case 'POST experiments/create':
        return { experiment_id: this.createExperiment(text(body['name'])) };
      case 'POST runs/create':
        return { run: shownRun(this.createRun(body)) };
      case 'GET runs/get':
        return { run: shownRun(this.run(body['run_id'])) };
      case 'POST runs/search':
        return { runs: this.searchRuns(body).map(shownRun) };
      case 'POST runs/log-batch':
        return this.logBatch(body);
      case 'POST runs/log-inputs':
        this.run(body['run_id']);
        return {};
      case 'POST runs/update':
        Object.assign(this.run(body['run_id']), { status: body['status'], endedAt: body['end_time'] });
        return {};
      case 'POST runs/delete':
        this.run(body['run_id']).deleted = true;
        return {};
      default:
        return this.registry(method, call, body);
    }
  }

  private registry(method: string, call: string, body: Body): Body {
    const name = text(body['name']);
    switch (`${method} ${call}`) {
      case 'POST registered-models/create':
        if (this.models.has(name)) throw taken(`Registered Model (name=${name})`);
        this.models.set(name, { versions: [], last: 0, aliases: new Map(), tags: new Map() });
        return {};
      case 'GET registered-models/get':
        return {
          registered_model: { name, aliases: this.aliasesOf(name), tags: listed(this.model(name).tags) },
        };
      case 'POST registered-models/set-tag':
        this.model(name).tags.set(text(body['key']), text(body['value']));
        return {};
      case 'POST model-versions/create':
        return { model_version: this.shownVersion(name, this.createVersion(name, body)) };
      case 'GET model-versions/get':
        return { model_version: this.shownVersion(name, this.version(name, body['version'])) };
      case 'GET model-versions/search':
        return { model_versions: this.searchVersions(text(body['filter'])) };
      case 'POST model-versions/set-tag':
        this.version(name, body['version']).tags.set(text(body['key']), text(body['value']));
        return {};
      case 'POST model-versions/transition-stage':
        return this.transition(name, body);
      case 'DELETE model-versions/delete':
        return this.deleteVersion(name, this.version(name, body['version']));
      case 'POST registered-models/alias':
        if (/^v\d+$/i.test(text(body['alias']))) throw invalid(`${text(body['alias'])} is a reserved alias`);
        this.model(name).aliases.set(text(body['alias']), this.version(name, body['version']).number);
        return {};
      case 'GET registered-models/alias':
        return { model_version: this.aliased(name, text(body['alias'])) };
      case 'DELETE registered-models/alias':
        this.model(name).aliases.delete(text(body['alias']));
        return {};
      default:
        throw new Refusal(404, 'ENDPOINT_NOT_FOUND', `${method} ${call} is not known here`);
    }
  }

  private experiment(name: string): Body {
    const id = this.experiments.get(name);
    if (id === undefined) throw none(`Experiment '${name}'`);
    return { experiment_id: id, name, lifecycle_stage: 'active' };
  }

  private createExperiment(name: string): string {
    if (this.experiments.has(name)) throw taken(`Experiment(name=${name})`);
    const id = String(this.experiments.size + 1);
    this.experiments.set(name, id);
    return id;
  }

  private createRun(body: Body): Run {
    const run: Run = {
      id: randomUUID().replaceAll('-', ''),
      experimentId: text(body['experiment_id']),
      name: text(body['run_name']),
      status: 'RUNNING',
      startedAt: Number(body['start_time']),
      deleted: false,
      tags: new Map(pairs(body['tags']).map(({ key, value }) => [key, value])),
      params: new Map(),
      metrics: new Map(),
    };
    this.runs.set(run.id, run);
    return run;
  }

  private run(id: unknown): Run {
    const run = this.runs.get(text(id));
    if (run === undefined) throw none(`Run with id=${text(id)}`);
    return run;
  }

  /** Filters on one tag, `=` or `LIKE '%'`, are all that we send. */
  private searchRuns(body: Body): Run[] {
    const [, tag = '', operator, value] = /^tags\.(\w+) (=|LIKE) '(.*)'$/.exec(text(body['filter'])) ?? [];
    const newestFirst = text(body['order_by']).includes('DESC');
    const experiments = body['experiment_ids'] as string[];
    return [...this.runs.values()]
      .filter((run) => !run.deleted && experiments.includes(run.experimentId))
      .filter(({ tags }) => (operator === 'LIKE' ? tags.has(tag) : tags.get(tag) === value))
      .sort((a, b) => (newestFirst ? b.startedAt - a.startedAt : a.startedAt - b.startedAt))
      .slice(0, Number(body['max_results']));
  }

  private logBatch(body: Body): Body {
    const run = this.run(body['run_id']);
    if (run.deleted) throw invalid(`The run ${run.id} must be in 'active' state`);
    for (const { key, value } of pairs(body['params'])) {
      const before = run.params.get(key);
      if (before !== undefined && before !== value)
        throw invalid(`Changing param values is not allowed: ${key}`);
      run.params.set(key, value);
    }
    for (const { key, value } of pairs(body['tags'])) run.tags.set(key, value);
    for (const { key, value } of pairs(body['metrics'])) run.metrics.set(key, Number(value));
    return {};
  }

  private model(name: string): Model {
    const model = this.models.get(name);
    if (model === undefined) throw none(`Registered Model with name=${name}`);
    return model;
  }

  private version(name: string, number: unknown): Version {
    const version = this.models.get(name)?.versions.find((one) => one.number === text(number));
    if (version === undefined) throw none(`Model Version (name=${name}, version=${text(number)})`);
    return version;
  }

  private createVersion(name: string, body: Body): Version {
    const model = this.model(name);
    const { id } = this.run(body['run_id']);
    const source = text(body['source']);
    if (!source.includes(id)) throw invalid(`the source ${source} is not of run ${id}`);
    model.last += 1;
    const version: Version = {
      ...{ number: String(model.last), runId: id, source, stage: 'None', createdAt: Date.now() },
      tags: new Map(pairs(body['tags']).map(({ key, value }) => [key, value])),
    };
    model.versions.push(version);
    return version;
  }

  private searchVersions(filter: string): Body[] {
    const [, name = '', runId] = /^name='([^']+)'(?: and run_id='([^']+)')?$/.exec(filter) ?? [];
    return (this.models.get(name)?.versions ?? [])
      .filter((version) => runId === undefined || version.runId === runId)
      .sort((a, b) => Number(b.number) - Number(a.number))
      .map((version) => ({ ...this.shownVersion(name, version), aliases: [] }));
  }

  private deleteVersion(name: string, version: Version): Body {
    const model = this.model(name);
    model.versions = model.versions.filter((one) => one !== version);
    for (const [alias, number] of model.aliases) if (number === version.number) model.aliases.delete(alias);
    return {};
  }

  private transition(name: string, body: Body): Body {
    const stage = text(body['stage']);
    const version = this.version(name, body['version']);
    if (body['archive_existing_versions'] === true) {
      for (const one of this.model(name).versions) if (one.stage === stage) one.stage = 'Archived';
    }
    version.stage = stage;
    return {};
  }

  private aliasesOf(name: string): { alias: string; version: string }[] {
    return [...this.model(name).aliases].map(([alias, version]) => ({ alias, version }));
  }

  private aliased(name: string, alias: string): Body {
    const number = this.model(name).aliases.get(alias);
    if (number === undefined) throw invalid(`Registered model alias ${alias} not found.`);
    return this.shownVersion(name, this.version(name, number));
  }

  private shownVersion(name: string, version: Version): Body {
    const aliases = this.aliasesOf(name).filter((one) => one.version === version.number);
    return {
      ...{ name, version: version.number, run_id: version.runId, source: version.source },
      ...{ current_stage: version.stage, creation_timestamp: version.createdAt, status: 'READY' },
      ...{ tags: listed(version.tags), aliases: aliases.map(({ alias }) => alias) },
    };
  }

  private async artifact({ method, url, body }: HttpRequest): Promise<HttpReply> {
    const [, file] =
      /^\/api\/2\.0\/mlflow-artifacts\/artifacts\/?(.*)$/.exec(decodeURIComponent(url.pathname)) ?? [];
    if (file === undefined) throw new Refusal(404, 'ENDPOINT_NOT_FOUND', `${url.pathname} is not known here`);
    if (method === 'PUT') {
      this.files.set(
        file,
        body instanceof Readable ? await buffer(body) : Buffer.from((body ?? '') as Uint8Array),
      );
      return reply(200, {});
    }
    if (file === '') return reply(200, { files: this.folder(url.searchParams.get('path') ?? '') });
    const found = this.files.get(file);
    if (found === undefined) throw none(`Artifact ${file}`);
    return answered(200, 'application/octet-stream', found);
  }

  private folder(dir: string): Body[] {
    const entries = new Map<string, Body>();
    for (const [file, bytes] of this.files) {
      if (!file.startsWith(`${dir}/`)) continue;
      const [first = '', ...rest] = file.slice(dir.length + 1).split('/');
      entries.set(first, {
        path: first,
        is_dir: rest.length > 0,
        ...(rest.length > 0 ? {} : { file_size: bytes.length }),
      });
    }
    return [...entries.values()];
  }
}

function shownRun(run: Run): Body {
  return {
    info: {
      ...{ run_id: run.id, experiment_id: run.experimentId, run_name: run.name, status: run.status },
      ...{ start_time: run.startedAt, lifecycle_stage: run.deleted ? 'deleted' : 'active' },
      artifact_uri: `mlflow-artifacts:/${run.experimentId}/${run.id}/artifacts`,
      ...(run.endedAt === undefined ? {} : { end_time: run.endedAt }),
    },
    data: { tags: listed(run.tags), params: listed(run.params), metrics: listed(run.metrics) },
  };
}

function reply(status: number, body: Body): HttpReply {
  return answered(status, 'application/json', Buffer.from(JSON.stringify(body)));
}

function answered(status: number, type: string, bytes: Buffer): HttpReply {
  const headers: Record<string, string> = { 'content-type': type, 'content-length': String(bytes.length) };
  return { status, header: (name) => headers[name], body: Readable.from([bytes], { objectMode: false }) };
}
