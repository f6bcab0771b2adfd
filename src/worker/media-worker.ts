import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Command, CommandReply, WorkerEvent, WorkerStats } from '../media/control.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import { MessageBatch } from './message-batch.ts';
import { type CommandMessage, messagesIn, parseWorkerMessage, type WorkerMessage } from './messages.ts';
import type { WorkerSettings } from './worker-settings.ts';

export interface WorkerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface MediaWorkerOptions extends WorkerSettings {
  clock: Clock;
  log: WorkerLog;
}

/** Far above what a stalled disk explains for any command; the worker itself is not judged by it. */
const commandTimeoutMs = 60_000;
const startTimeoutMs = 30_000;

/** Of the server's environment a worker gets only this: it has no business with its secrets. */
const passedEnvironment = ['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'PATH', 'TZ'] as const;

interface PendingCommand {
  resolve(reply: CommandReply): void;
  reject(error: CallreelError): void;
  cancelTimeout(): void;
}

export type MediaWorkerState = 'starting' | 'running' | 'finished' | 'lost';
export type MediaWorkerEvent = 'ready' | 'finished' | 'exit';

/** docs/design.md, "Threads and processes": who ends without having said that everything is on disk is lost. */
export const mediaWorkerTable: TransitionTable<MediaWorkerState, MediaWorkerEvent> = {
  starting: {
    ready: 'running', // its threads run
    exit: 'lost', // it could not start
  },
  running: {
    finished: 'finished', // drained: no leg is open, everything is on disk
    exit: 'lost', // its calls are hung up, its recordings finished from the journal
  },
  finished: {
    exit: 'finished', // as it should
  },
  lost: {},
};

/** The server's side of one media worker process. */
export class MediaWorker {
  readonly workerId: string;
  readonly #options: MediaWorkerOptions;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, PendingCommand>();
  readonly #eventHandlers = new Set<(event: WorkerEvent) => void>();
  readonly #lostHandlers = new Set<(worker: MediaWorker) => void>();
  // A send that fails is followed by the exit, which rejects everything pending.
  readonly #toWorker = new MessageBatch<CommandMessage>(
    (messages) => void this.#child.send(messages, () => undefined),
  );
  readonly #exited = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  #nextId = 1;
  readonly #openLegs = new Set<string>();
  #state: MediaWorkerState = 'starting';
  #pipeline = '';
  #driverNote: string | undefined;

  /**
   * Forks the process and waits until its threads run.
   * @throws CallreelError WORKER_LOST
   */
  static async start(options: MediaWorkerOptions): Promise<MediaWorker> {
    const worker = new MediaWorker(options);
    const timeout = options.clock.after(startTimeoutMs, () => worker.kill());
    try {
      await worker.#ready.promise;
    } finally {
      timeout.cancel();
    }
    return worker;
  }

  private constructor(options: MediaWorkerOptions) {
    this.#options = options;
    this.workerId = `${options.workerId}-${newId()}`;
    const { mediaAddress, ports, driver, steering, spoolDir, ringBytes } = options;
    const settings: WorkerSettings = {
      ...{ workerId: this.workerId, mediaAddress, ports, driver, steering, spoolDir, ringBytes },
    };
    this.#child = fork(
      fileURLToPath(new URL('./worker-process.ts', import.meta.url)),
      [JSON.stringify(settings)],
      {
        execPath: process.execPath,
        // What is said of node:ffi is said to whoever chose it.
        execArgv: ['--disable-warning=ExperimentalWarning'],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: Object.fromEntries(passedEnvironment.map((name) => [name, process.env[name]])),
      },
    );
    this.#child.on('message', (message) => this.#receive(message));
    this.#child.on('error', (error) =>
      this.#options.log.error({ error }, 'a media worker can not be reached'),
    );
    this.#child.on('exit', (code, signal) => this.#ended(code, signal));
    this.#exited.promise.catch(() => undefined);
  }

  /** 0 when the process could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get alive(): boolean {
    return this.#state === 'running';
  }

  /** Legs opened and not closed by this side. */
  get openLegs(): number {
    return this.#openLegs.size;
  }

  /** The packet's way through the worker, as a picture. */
  get pipeline(): string {
    return this.#pipeline;
  }

  /**
   * Commands take effect in the order of the calls.
   * @throws CallreelError what the worker answers; WORKER_LOST when it is gone or does not answer
   */
  send(command: Command): Promise<CommandReply> {
    const { promise, resolve, reject } = Promise.withResolvers<CommandReply>();
    if (this.#state !== 'running') {
      reject(this.#lostError('the media worker is gone'));
      return promise;
    }
    const id = this.#nextId++;
    const timeout = this.#options.clock.after(commandTimeoutMs, () => {
      this.#pending.delete(id);
      reject(this.#lostError(`no answer to ${command.verb} in ${commandTimeoutMs / 1000} s`));
    });
    this.#pending.set(id, { resolve, reject, cancelTimeout: () => timeout.cancel() });
    if (command.verb === 'leg.open') this.#countLeg(command.legId, promise);
    else if (command.verb === 'leg.close') this.#openLegs.delete(command.legId);
    this.#toWorker.add({ kind: 'command', id, command });
    return promise;
  }

  /** @returns how to stop it */
  onEvent(handler: (event: WorkerEvent) => void): () => void {
    this.#eventHandlers.add(handler);
    return () => void this.#eventHandlers.delete(handler);
  }

  /** The process ended without having been drained; called once, after every pending command was rejected. */
  onLost(handler: (worker: MediaWorker) => void): () => void {
    this.#lostHandlers.add(handler);
    return () => void this.#lostHandlers.delete(handler);
  }

  async stats(): Promise<WorkerStats> {
    const { stats } = await this.send({ verb: 'worker.stats' });
    if (!stats) throw this.#lostError('the media worker answered without its stats');
    this.#tellOfDriver(stats);
    return stats;
  }

  /** What the system lets a driver do may end while it runs: calls go on, and cost more. */
  #tellOfDriver({ driver, driverNote }: WorkerStats): void {
    if (driverNote === this.#driverNote) return;
    this.#driverNote = driverNote;
    this.#options.log.warn({ workerId: this.workerId, driver, driverNote }, 'media costs more from now on');
  }

  /**
   * Takes no new calls; settles when the last leg and room are closed, everything is on disk and the process ended.
   * @throws CallreelError WORKER_LOST
   */
  async drain(): Promise<void> {
    if (this.#state === 'running') await this.send({ verb: 'worker.drain' });
    await this.#exited.promise;
  }

  /** At once, as a crash would; `onLost` follows. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #countLeg(legId: string, opening: Promise<CommandReply>): void {
    if (this.#openLegs.has(legId)) return;
    this.#openLegs.add(legId);
    opening.catch(() => this.#openLegs.delete(legId));
  }

  #receive(raw: unknown): void {
    for (const each of messagesIn(raw)) {
      const message = parseWorkerMessage(each);
      if ('problem' in message)
        this.#options.log.error({ problem: message.problem }, 'bad message of a media worker');
      else this.#handle(message);
    }
  }

  #handle(message: WorkerMessage): void {
    switch (message.kind) {
      case 'ready':
        if (!this.#move('ready')) return;
        this.#pipeline = message.pipeline;
        this.#driverNote = message.driverNote;
        this.#options.log.info(
          {
            workerId: this.workerId,
            workerPid: this.pid,
            driver: message.driver,
            driverNote: message.driverNote,
            steering: message.steering,
          },
          'media worker runs',
        );
        this.#ready.resolve();
        return;
      case 'reply':
        this.#take(message.id)?.resolve(message.reply);
        return;
      case 'refusal': {
        const { code, message: text, where } = message.error;
        this.#take(message.id)?.reject(new CallreelError(code, text, { where }));
        return;
      }
      case 'event':
        this.#emit(message.event);
        return;
      case 'finished':
        this.#move('finished');
    }
  }

  #emit(event: WorkerEvent): void {
    if (event.event === 'fault')
      this.#options.log.error({ workerId: this.workerId, fault: event.message }, 'fault in a media worker');
    for (const handler of this.#eventHandlers) {
      try {
        handler(event);
      } catch (error) {
        this.#options.log.error({ error, event: event.event }, 'an event of a media worker was not handled');
      }
    }
  }

  #take(id: number): PendingCommand | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.cancelTimeout();
    return pending;
  }

  #ended(code: number | null, signal: string | null): void {
    const wasStarting = this.#state === 'starting';
    this.#move('exit');
    const lost = this.#state === 'lost';
    const error = this.#lostError(`the media worker ended (${signal ?? `exit code ${code}`})`);
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
    if (!lost) {
      this.#exited.resolve();
      return;
    }
    this.#options.log.error(
      { workerId: this.workerId, workerPid: this.pid, code, signal },
      'media worker lost',
    );
    this.#exited.reject(error);
    if (wasStarting) this.#ready.reject(error);
    else for (const handler of this.#lostHandlers) handler(this);
  }

  #move(event: MediaWorkerEvent): boolean {
    const next = nextState('media-worker', mediaWorkerTable, this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }

  #lostError(message: string): CallreelError {
    return new CallreelError('WORKER_LOST', message, { where: this.workerId });
  }
}
