import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import { ComplaintFile, isAboutMemory } from './engine-complaints.ts';
import type {
  EngineCall,
  EngineMessage,
  EngineReplies,
  EngineRequest,
  EngineSettings,
} from './engine-protocol.ts';

export interface EngineHostOptions {
  settings: EngineSettings;
  clock: Clock;
  /** Memory it may ask for; more is refused. */
  memoryLimitMb: number;
  /** 0 to 19: how much others go first. */
  niceness: number;
  startTimeoutMs: number;
  /** For one request. */
  requestTimeoutMs: number;
  /** The process; another one in tests. */
  script?: URL;
}

export type EngineState = 'starting' | 'ready' | 'gone';
export type EngineEvent = 'ready' | 'unusable' | 'exit';

/** Once gone it stays so; who needs an engine starts another. */
export const engineTable: TransitionTable<EngineState, EngineEvent> = {
  starting: {
    ready: 'ready', // its models are loaded
    unusable: 'gone', // the library read a model and complained
    exit: 'gone', // or ended the process
  },
  ready: {
    exit: 'gone', // killed, out of memory, or closed by us
  },
  gone: {
    ready: 'gone', // crossed our signal
    unusable: 'gone',
    exit: 'gone',
  },
};

/** Of the server's environment it gets only this: it has no business with its secrets. */
const passedEnvironment = ['NODE_V8_COVERAGE', 'PATH', 'TZ'] as const;
/** What the shell does before the engine takes its place: memory beyond the limit is refused, others go first. */
const launch = 'ulimit -d "$0" 2>/dev/null; exec nice -n "$@"';

interface PendingCall {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** The server's side of one engine process. */
export class EngineHost {
  readonly #options: EngineHostOptions;
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #pending = new Map<number, PendingCall>();
  #state: EngineState = 'starting';
  #nextId = 1;
  readonly #complaints = new ComplaintFile();
  /** Why we ended it, where we did. */
  #reason: CallreelError | undefined;

  /**
   * Starts the process and waits until its models are loaded.
   * @throws CallreelError TRANSCRIPTION_MODEL_BROKEN, TRANSCRIPTION_ENGINE_LOST
   * @throws the signal's reason; the process is killed
   */
  static async start(options: EngineHostOptions, signal?: AbortSignal): Promise<EngineHost> {
    signal?.throwIfAborted();
    const host = new EngineHost(options);
    const { startTimeoutMs, clock } = options;
    const timer = clock.after(startTimeoutMs, () =>
      host.#kill(lost(`the speech engine was not ready within ${startTimeoutMs} ms`)),
    );
    const giveUp = () => host.#kill(lost('the speech engine was stopped'));
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await host.#ready.promise;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', giveUp);
    }
    return host;
  }

  private constructor(options: EngineHostOptions) {
    this.#options = options;
    const {
      settings,
      memoryLimitMb,
      niceness,
      script = new URL('./engine-process.ts', import.meta.url),
    } = options;
    const limits = [String(memoryLimitMb * 1024), String(niceness)];
    const command = [process.execPath, fileURLToPath(script), JSON.stringify(settings)];
    this.#child = spawn('/bin/sh', ['-c', launch, ...limits, ...command], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', this.#complaints.fd, 'ipc'],
      env: Object.fromEntries(passedEnvironment.map((name) => [name, process.env[name]])),
    });
    this.#child.on('message', (message) => this.#receive(message as EngineMessage));
    this.#child.on('error', (error) => this.#end(lost(`the speech engine cannot be run: ${error.message}`)));
    this.#child.on('exit', (code, signal) => this.#end(this.#reason ?? this.#describeEnd(code, signal)));
    this.#ready.promise.catch(() => undefined);
  }

  /** 0 when the process could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get alive(): boolean {
    return this.#state === 'ready';
  }

  /**
   * @throws CallreelError TRANSCRIPTION_ENGINE_LOST when it is gone, ends meanwhile, or takes too long (it is killed)
   * @throws the signal's reason; the process, which cannot be interrupted, is killed
   */
  async call<Verb extends EngineRequest['verb']>(
    request: Extract<EngineRequest, { verb: Verb }>,
    signal: AbortSignal,
  ): Promise<EngineReplies[Verb]> {
    signal.throwIfAborted();
    if (this.#state !== 'ready') throw this.#reason ?? lost('the speech engine is gone');
    const { clock, requestTimeoutMs } = this.#options;
    const id = this.#nextId++;
    const call: EngineCall = { id, request };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject });
    const timer = clock.after(requestTimeoutMs, () =>
      this.#kill(lost(`the speech engine did not answer within ${requestTimeoutMs} ms`)),
    );
    const giveUp = () => {
      reject(signal.reason);
      this.#kill(lost('the speech engine was stopped'));
    };
    signal.addEventListener('abort', giveUp, { once: true });
    // A channel that broke is followed by the exit.
    this.#child.send(call, () => undefined);
    try {
      return (await promise) as EngineReplies[Verb];
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
      this.#pending.delete(id);
    }
  }

  /** Settles when the process has ended. */
  async close(): Promise<void> {
    this.#kill(new CallreelError('DRAINING', 'the speech engine is stopped'));
    await this.#exited.promise;
  }

  #receive(message: EngineMessage): void {
    switch (message.kind) {
      case 'ready':
        if (this.#change('ready') === 'ready') this.#ready.resolve();
        return;
      case 'unusable':
        this.#change('unusable');
        this.#kill(judged(message.what));
        return;
      case 'reply':
        this.#pending.get(message.id)?.resolve(message.result);
        return;
      case 'failure':
        this.#pending.get(message.id)?.reject(judged(message.what));
    }
  }

  #kill(reason: CallreelError): void {
    this.#reason ??= reason;
    this.#child.kill('SIGKILL');
  }

  #end(error: CallreelError): void {
    this.#change('exit');
    this.#ready.reject(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#complaints.close();
    this.#exited.resolve();
  }

  #change(event: EngineEvent): EngineState {
    return (this.#state = nextState('speech engine', engineTable, this.#state, event) ?? this.#state);
  }

  /** A file that the library cannot read makes it throw, complain and go on, or end the process, as it comes. */
  #describeEnd(code: number | null, signal: NodeJS.Signals | null): CallreelError {
    const said = this.#complaints.tail();
    const what = `it ended with ${signal ?? `status ${code}`}${said ? `: ${said}` : ''}`;
    const isFileItself = signal === null || /Load model|Ort::Exception/.test(said);
    return this.#state === 'starting' && isFileItself ? judged(what) : lost(`the speech engine: ${what}`);
  }
}

function judged(what: string): CallreelError {
  const message = `the speech engine: ${what}`;
  return isAboutMemory(what) ? lost(message) : new CallreelError('TRANSCRIPTION_MODEL_BROKEN', message);
}

function lost(what: string): CallreelError {
  return new CallreelError('TRANSCRIPTION_ENGINE_LOST', what);
}
