import { Worker, type Transferable } from 'node:worker_threads';

/**
 * A few threads that run one entry file and talk by messages. `To` goes to each of them, `From` comes back.
 * Stop it in a `finally`: threads keep a process alive.
 */
export class Crew<To, From> {
  private readonly workers: Worker[];

  /**
   * @param entry path of a compiled file
   * @param data what each thread finds in `workerData`; shared memory in it is shared
   * @param onMessage called for each message of any thread
   * @param onFailure called when a thread throws, or exits before it was stopped with another code than 0; with 0 too,
   *   unless `mayExit`: a thread whose work is done may end by itself
   */
  constructor(
    entry: string,
    size: number,
    data: unknown,
    onMessage: (message: From) => void,
    onFailure: (error: Error) => void,
    { mayExit = false }: { mayExit?: boolean } = {},
  ) {
    let stopped = false;
    this.onStop = () => (stopped = true);
    this.workers = Array.from({ length: size }, () => {
      const worker = new Worker(entry, { workerData: data });
      worker.on('message', onMessage);
      worker.on('error', onFailure);
      worker.on('exit', (code) => {
        if (!stopped && !(mayExit && code === 0))
          onFailure(new Error(`a thread stopped early, with exit code ${code}`));
      });
      return worker;
    });
  }

  private readonly onStop: () => void;

  /** Sends one message to every thread. */
  tell(message: To, transfer: Transferable[] = []): void {
    for (const worker of this.workers) worker.postMessage(message, transfer);
  }

  /** Ends the threads at once, whatever they are doing. */
  async stop(): Promise<void> {
    this.onStop();
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
