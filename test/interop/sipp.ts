import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { sleep, systemClock } from '../../src/clock.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { openResources } from '../../src/testkit/open-resources.ts';
import { freePort } from './free-port.ts';
import type { NetworkHost } from './network-namespaces.ts';
import type { CapturedStream } from './rtp-capture.ts';
import { rtpCapture } from './rtp-capture.ts';
import { answererScenario, callerScenario } from './sipp-scenario.ts';
import type { SippStatistics } from './sipp-statistics.ts';
import { parseSippStatistics } from './sipp-statistics.ts';
import type { TemporaryFolder } from './temporary-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface SippCallerOptions {
  /** SIP address of the server. */
  target: { address: string; port: number };
  transport?: 'udp' | 'tcp';
  /**
   * One call each, in this order. All streams come from one port; their SSRCs count up from a number that every sipp
   * begins with, so two of them send the same ones.
   */
  calls: readonly { from: string; to: string }[];
  ratePerSecond?: number;
  /** Streamed over and over; without it, what comes in is echoed. 8 kHz. */
  audio?: Int16Array;
  codec?: 'PCMU' | 'PCMA';
  /** Sent once from the answer on, in place of `audio`. */
  stream?: CapturedStream;
  /** From answer to BYE; without it, the peer hangs up. */
  callMs?: number;
  timeoutMs?: number;
  /** Where it runs; without it, here. */
  network?: NetworkHost;
  /** Whole lines, put into the INVITE. */
  inviteHeaders?: readonly string[];
}

const host = '127.0.0.1';
const setUpAllowanceMs = 30_000;
const endTimeoutMs = 5000;
const startAttempts = 100;
const startIntervalMs = 50;
const maxTraceCharacters = 6000;
/** Whole SIP messages are kept for this many calls; more would fill the disk. */
const maxTracedCalls = 10;

/**
 * Places the calls and waits for the last BYE.
 * @throws Error with the statistics and sipp's trace when a call failed
 */
export async function runSippCaller(options: SippCallerOptions): Promise<SippStatistics> {
  const { target, transport = 'udp', calls, audio, codec = 'PCMU', callMs } = options;
  const { ratePerSecond = 10, network, inviteHeaders = [] } = options;
  const folder = await temporaryFolder('sipp');
  try {
    const numbers = calls.map(({ from, to }) => `${from};${to};`);
    await writeFile(folder.file('numbers.csv'), `SEQUENTIAL\n${numbers.join('\n')}\n`);
    const { payloadType } = lineCodecs[codec];
    const path = folder.file('stream.raw');
    if (audio) await writeFile(path, lineCodecs[codec].encode(audio));
    const stream = audio ? { path, payloadType: payloadType as 0 | 8, codec } : undefined;
    const capture = options.stream && folder.file('stream.pcap');
    if (capture) await writeFile(capture, rtpCapture(options.stream!));
    await writeFile(
      folder.file('scenario.xml'),
      callerScenario({ transport, stream, capture, callMs, inviteHeaders }),
    );
    const callsMs = (calls.length / ratePerSecond) * 1000 + (callMs ?? 0);
    const timeoutMs = options.timeoutMs ?? callsMs + setUpAllowanceMs;
    const sipp = startSipp(folder, calls.length, transport, network, [
      `${target.address}:${target.port}`,
      ...['-inf', folder.file('numbers.csv'), '-r', String(ratePerSecond), '-l', String(calls.length)],
      ...['-timeout', `${Math.ceil(timeoutMs / 1000)}s`, '-timeout_error'],
      ...['-mp', String(await freePort(host))],
      ...(stream || capture ? [] : ['-rtp_echo']),
    ]);
    const statistics = await sipp.finished();
    if (statistics.successful === calls.length && statistics.failed === 0) return statistics;
    throw new Error(`sipp: ${JSON.stringify(statistics)} of ${calls.length} calls\n${await sipp.trace()}`);
  } finally {
    await folder.remove();
  }
}

/** A sipp that answers calls and echoes their audio. */
export interface SippAnswerer {
  sipUri: string;
  /** Waits for the end of the calls it was started for. @throws Error with sipp's trace when one failed */
  finished(): Promise<SippStatistics>;
  stop(): Promise<void>;
}

/** Starts a sipp that answers so many calls. One at a time: all of them share one RTP port. */
export async function startSippAnswerer({
  calls,
  transport = 'udp',
}: {
  calls: number;
  transport?: 'udp' | 'tcp';
}): Promise<SippAnswerer> {
  const folder = await temporaryFolder('sipp');
  await writeFile(folder.file('scenario.xml'), answererScenario(transport));
  const port = await freePort(host);
  const sipp = startSipp(folder, calls, transport, undefined, [
    '-p',
    String(port),
    '-rtp_echo',
    '-mp',
    String(await freePort(host)),
  ]);
  const stop = async () => {
    await sipp.stop();
    await folder.remove();
  };
  try {
    await sipp.listening(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    sipUri: `sip:answerer@${host}:${port}${transport === 'tcp' ? ';transport=tcp' : ''}`,
    finished: async () => {
      const statistics = await sipp.finished();
      if (statistics.successful === calls && statistics.failed === 0) return statistics;
      throw new Error(`sipp: ${JSON.stringify(statistics)} of ${calls} calls\n${await sipp.trace()}`);
    },
    stop,
  };
}

interface RunningSipp {
  /** Its socket is open. @throws Error when it never is */
  listening(port: number): Promise<void>;
  finished(): Promise<SippStatistics>;
  trace(): Promise<string>;
  stop(): Promise<void>;
}

function startSipp(
  folder: TemporaryFolder,
  calls: number,
  transport: 'udp' | 'tcp',
  network: NetworkHost | undefined,
  more: readonly string[],
): RunningSipp {
  const address = network?.address ?? host;
  const traces = calls <= maxTracedCalls ? ['-trace_msg', '-message_file', folder.file('messages.log')] : [];
  const args = [
    ...['-sf', folder.file('scenario.xml'), '-m', String(calls), '-i', address, '-mi', address],
    ...['-t', transport === 'udp' ? 'u1' : 't1', '-nostdin', '-skip_rlimit'],
    ...['-trace_err', '-error_file', folder.file('errors.log')],
    ...['-trace_stat', '-stf', folder.file('statistics.csv'), '-fd', '1'],
    ...traces,
    ...more,
  ];
  const [program = '', ...programArgs] = [...(network?.prefix ?? []), 'sipp', ...args];
  const child = spawn(program, programArgs, {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: terminal,
  });
  const exited = once(child, 'exit');
  const output = keepTail(child);
  return {
    async listening(port) {
      for (let attempt = 0; attempt < startAttempts && child.exitCode === null; attempt++) {
        const { udpPorts, tcpListenPorts } = openResources(child.pid);
        if (udpPorts.includes(port) || tcpListenPorts.includes(port)) return;
        await sleep(systemClock, startIntervalMs);
      }
      throw new Error(`sipp never listened on ${port}: ${output()}`);
    },
    async finished() {
      await exited;
      return parseSippStatistics(await read(folder.file('statistics.csv')));
    },
    async trace() {
      const errors = await read(folder.file('errors.log'));
      const messages = await read(folder.file('messages.log'));
      const tail = (text: string) => text.slice(-maxTraceCharacters);
      return `sipp ${args.join(' ')}\nerrors:\n${errors.slice(0, maxTraceCharacters)}\nmessages:\n${tail(messages)}\nscreen:\n${tail(output())}`;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const timer = systemClock.after(endTimeoutMs, () => child.kill('SIGKILL'));
        await exited;
        timer.cancel();
      }
    },
  };
}

/** sipp draws its screen by curses-like codes and asks for the kind of terminal. */
const terminal = { ...process.env, TERM: 'dumb' };

function keepTail(child: ChildProcess): () => string {
  let text = '';
  const keep = (bytes: Buffer) => {
    text = (text + bytes.toString()).slice(-maxTraceCharacters);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
