import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';

export interface ProgramRun {
  command: string;
  args: readonly string[];
  /** Written to its standard input, which is then closed. */
  input: string;
  maxOutputBytes: number;
  timeoutMs: number;
  clock: Clock;
  signal: AbortSignal;
}

type Program = ChildProcessByStdio<Writable, Readable, Readable>;

const shownErrorCharacters = 300;

/**
 * Runs a program without a shell, at low priority, and gives what it wrote to its standard output. It and everything
 * it started are killed when it takes too long, writes too much or nobody waits for it any more.
 * @throws CallreelError SPEECH_FAILED
 * @throws the signal's reason
 */
export async function runSpeechProgram(run: ProgramRun): Promise<Uint8Array<ArrayBuffer>> {
  run.signal.throwIfAborted();
  const fail = (what: string, cause?: unknown) =>
    new CallreelError('SPEECH_FAILED', `speech.command: ${run.command} ${what}`, { cause });
  // A group of its own, so that its children die with it.
  const program = spawn(run.command, run.args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: environmentWithoutOurs(),
  });
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  const timer = run.clock.after(run.timeoutMs, () => stop(fail(`gave nothing within ${run.timeoutMs} ms`)));
  const giveUp = () => stop(run.signal.reason);
  run.signal.addEventListener('abort', giveUp, { once: true });
  const output = collect(program, run.maxOutputBytes, () => stop(fail('wrote too much')));
  const errors = lastText(program.stderr);
  let hasEnded = false;
  try {
    lowerPriority(program);
    // It may close its input before it has read everything, or not be there at all.
    program.stdin.on('error', () => undefined);
    program.stdin.end(run.input);
    const exit = await Promise.race([exitOf(program), stopped]);
    hasEnded = true;
    if (exit !== 'status 0') throw fail(`ended with ${exit}: ${errors()}`);
    return output();
  } catch (cause) {
    if (cause instanceof CallreelError || run.signal.aborted) throw cause;
    throw fail(`cannot be run: ${(cause as Error).message}`, cause);
  } finally {
    timer.cancel();
    run.signal.removeEventListener('abort', giveUp);
    if (!hasEnded) kill(program);
  }
}

/** Ends when the program has ended and its output has been read. */
function exitOf(program: Program): Promise<string> {
  return new Promise((resolve, reject) => {
    program.on('error', reject);
    program.on('close', (code, signal) => resolve(signal ?? `status ${code}`));
  });
}

function collect(program: Program, maxBytes: number, tooMuch: () => void): () => Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  program.stdout.on('data', (chunk: Uint8Array) => {
    length += chunk.length;
    if (length <= maxBytes) chunks.push(chunk);
    else tooMuch();
  });
  return () => {
    const whole = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  };
}

function lastText(stream: Readable): () => string {
  let text = '';
  stream.on('data', (chunk: Uint8Array) => {
    text = (text + Buffer.from(chunk).toString()).slice(-shownErrorCharacters);
  });
  return () => text.trim();
}

function lowerPriority({ pid }: Program): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already.
  }
}

function kill({ pid, stdin, stdout, stderr }: Program): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
  // What left the group may still hold the other ends.
  for (const stream of [stdin, stdout, stderr]) stream.destroy();
}

/** Our settings hold secrets that the program has no business with. */
function environmentWithoutOurs(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:CALLREEL_|TTS_)|^DATABASE_URL$/.test(name)),
  );
}
