import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { RetrainError } from '../../contracts/errors';
import { plainLine } from '../../contracts/plain-words';
import {
  boundedCommand,
  MOST_SAID,
  preferInOutOfMemory,
  residentBytes,
  saidOutOfMemory,
  WATCH_MS,
} from '../../ml/bounds/child-bounds';
import { type OnnxReply, type OnnxRequest, type SentTensor } from './onnx-protocol';

/** What the process of a model may take. */
export interface OnnxBounds {
  /** Resident memory; default 2 GiB. */
  memoryBytes?: number | undefined;
  /** For loading the model, in ms; default 60,000. */
  loadMs?: number | undefined;
  /** For one batch, in ms; default 30,000. */
  runMs?: number | undefined;
  /** Threads of onnxruntime; default 1. */
  threads?: number | undefined;
}

const ENTRY = path.join(__dirname, 'onnx-child.js');

const DEFAULTS = { memoryBytes: 2 * 2 ** 30, loadMs: 60_000, runMs: 30_000, threads: 1 } as const;

interface Waiting {
  resolve(outputs: readonly SentTensor[]): void;
  reject(error: RetrainError): void;
}

type Question = OnnxRequest extends infer R ? (R extends OnnxRequest ? Omit<R, 'id'> : never) : never;

/**
 * One model in onnxruntime, in a process of its own: native code in a thread can be neither stopped nor bounded. It is killed when it
 * takes more memory or time than it may; who waits gets an error, and the next question starts it again. It sees nothing of this
 * process's environment, and ends with it.
 */
export class OnnxProcess {
  private child: ChildProcess | undefined;
  private opened: Promise<unknown> | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;
  private closed = false;
  private watch: NodeJS.Timeout | undefined;

  constructor(
    private readonly model: { file: string } | { bytes: Uint8Array },
    private readonly bounds: OnnxBounds = {},
  ) {}

  /** Starts it, if it is not there. @throws RetrainError MODEL_INVALID when the model cannot be loaded */
  async open(): Promise<void> {
    if (this.closed) throw new RetrainError('MODEL_INVALID', 'the model has been closed');
    if (this.opened === undefined) {
      const { model } = this;
      const threads = this.bounds.threads ?? DEFAULTS.threads;
      this.start();
      const opened = this.ask({ ask: 'open', model, threads }, this.bounds.loadMs ?? DEFAULTS.loadMs);
      this.opened = opened;
      opened.catch((error: unknown) => {
        this.end(error as RetrainError);
      });
    }
    await this.opened;
  }

  /** @throws RetrainError MODEL_INVALID when onnxruntime refuses the rows, or the process was ended */
  async run(feeds: readonly SentTensor[], outputs: readonly string[]): Promise<readonly SentTensor[]> {
    await this.open();
    return this.ask({ ask: 'run', feeds, outputs }, this.bounds.runMs ?? DEFAULTS.runMs);
  }

  close(): Promise<void> {
    this.closed = true;
    const { child } = this;
    this.end(new RetrainError('MODEL_INVALID', 'the model has been closed'));
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    // Whoever waits for it must not end before it.
    child.ref();
    return new Promise((resolve) => child.once('close', () => resolve()));
  }

  private start(): void {
    const memory = this.bounds.memoryBytes ?? DEFAULTS.memoryBytes;
    const { command, args, env } = boundedCommand([ENTRY], memory);
    const child = spawn(command, args, {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.child = child;
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MOST_SAID)));
    child.on('message', (reply) => this.settle(child, reply as OnnxReply));
    child.on('error', (error) => this.died(child, error.message));
    child.on('close', (code, killedBy) => this.died(child, deathOf(code, killedBy, said)));
    preferInOutOfMemory(child.pid);
    // It may live for as long as the model does, and must not keep this process.
    child.unref();
    child.channel?.unref();
  }

  private ask(question: Question, limitMs: number): Promise<readonly SentTensor[]> {
    const { child } = this;
    if (child === undefined) throw new RetrainError('MODEL_INVALID', 'the model’s process has ended');
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.end(overtime(question.ask, limitMs));
      }, limitMs);
      const settled = (): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
        this.rest();
      };
      this.waiting.set(id, {
        resolve: (outputs) => {
          settled();
          resolve(outputs);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      this.attend();
      child.send({ ...question, id }, (error) => {
        // It is dying, or no longer listens; how it ended is told when it has.
        if (error !== null) child.kill('SIGKILL');
      });
    });
  }

  private settle(child: ChildProcess, reply: OnnxReply): void {
    if (child !== this.child) return;
    const waiting = this.waiting.get(reply.id);
    if (waiting === undefined) return;
    if ('outputs' in reply) waiting.resolve(reply.outputs);
    else waiting.reject(refusal(reply.refused));
  }

  /** While somebody waits, the channel keeps this process alive, and the memory is watched. */
  private attend(): void {
    this.child?.channel?.ref();
    this.watch ??= setInterval(() => {
      const memory = this.bounds.memoryBytes ?? DEFAULTS.memoryBytes;
      if (residentBytes(this.child?.pid) > memory) this.end(outOfMemory(memory));
    }, WATCH_MS);
  }

  private rest(): void {
    if (this.waiting.size > 0) return;
    clearInterval(this.watch);
    this.watch = undefined;
    this.child?.channel?.unref();
  }

  private died(child: ChildProcess, how: string): void {
    if (child !== this.child) return;
    this.end(
      new RetrainError(
        'MODEL_INVALID',
        `the model’s process ${how}; it is started again when it is asked next`,
      ),
    );
  }

  private end(error: RetrainError): void {
    const { child } = this;
    this.child = undefined;
    this.opened = undefined;
    child?.kill('SIGKILL');
    for (const waiting of [...this.waiting.values()]) waiting.reject(error);
    this.rest();
  }
}

function deathOf(code: number | null, killedBy: NodeJS.Signals | null, said: string): string {
  if (saidOutOfMemory(said)) return 'got no more memory';
  return killedBy === null ? `ended with exit code ${code}` : `was ended by ${killedBy}`;
}

const refusal = (line: string): RetrainError =>
  new RetrainError('MODEL_INVALID', `onnxruntime refuses the model or the rows: ${plainLine(line)}`);

const outOfMemory = (bytes: number): RetrainError =>
  new RetrainError(
    'MODEL_INVALID',
    `the model took more than the ${(bytes / 2 ** 30).toFixed(1)} GiB of memory that it may; send fewer rows at a time, or allow it more`,
  );

const overtime = (ask: Question['ask'], ms: number): RetrainError =>
  new RetrainError(
    'MODEL_INVALID',
    `the model took longer than ${ms / 1000} s to ${ask === 'open' ? 'load' : 'answer'}; it was ended`,
  );
