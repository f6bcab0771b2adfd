import { sleep, systemClock } from '../../src/clock.ts';
import { connectLegs, type Stage, streamsOf } from './connect-call.ts';
import type { LoadGenerator, RelayedPackets } from './load-generator.ts';
import { type EndedCall, RecordingCheck } from './recording-check.ts';
import type { StreamAudio } from './stream-audio.ts';
import { CallRefused, callerOf } from './two-party-signalling.ts';

export interface ChurnOptions {
  calls: number;
  /** At least and at most. */
  callSeconds: readonly [number, number];
  /** The first number of a caller that was not used yet. */
  firstCaller: number;
  audio: StreamAudio;
}

export interface ChurnResult {
  setUp: number;
  refused: number;
  failures: string[];
  check: RecordingCheck;
  /** RTP ports of the server, by how many legs had each. */
  legsByPort: Map<number, number>;
}

/** So many calls begin in a second at first. */
const firstCallsPerSecond = 20;
const lastPacketsMs = 500;
const retryMs = 1000;
/** One of so many callers has SRTP. */
const srtpEvery = 4;
/** Packets that are on their way when a call ends are waited for so long, at most. */
const relayTimeoutMs = 5000;
const relayPollMs = 100;
/** Of what the other party sent: who hears silence for longer was not put through as it should be. */
const leastRelayed = 0.5;

/**
 * Calls that end, and others that begin in their place with the same phones, all the time: each as long as chance will
 * have it. Every recording is verified, and erased, as soon as its call has ended.
 * @returns when the last call has ended and its recording is verified
 */
export async function churn(stage: Stage, untilUs: number, options: ChurnOptions): Promise<ChurnResult> {
  const { calls, callSeconds, audio } = options;
  const [leastSeconds, mostSeconds] = callSeconds;
  const check = new RecordingCheck(stage.server, audio);
  const legsByPort = new Map<number, number>();
  const result: ChurnResult = { setUp: 0, refused: 0, failures: [], check, legsByPort };
  const sentBefore = new Map<number, number>();
  let nextCaller = options.firstCaller;
  let isBroken = false;

  const talk = async (call: number): Promise<void> => {
    const from = callerOf(nextCaller++);
    const srtp = { caller: call % srtpEvery === 0, called: false };
    const legs = await connectLegs(stage, call, { from, srtp });
    const [caller, called] = streamsOf(call);
    result.setUp++;
    for (const { port } of [legs.caller, legs.called]) legsByPort.set(port, (legsByPort.get(port) ?? 0) + 1);
    const seconds = leastSeconds + Math.random() * (mostSeconds - leastSeconds);
    await sleep(systemClock, seconds * 1000);
    const relayed = await hushCall(stage.load, [caller, called]);
    const ended: EndedCall = { from, sides: [] };
    for (const stream of [caller, called]) {
      const to = await stage.load.endStream(stream);
      ended.sides.push({ stream, from: sentBefore.get(stream) ?? 0, to });
      sentBefore.set(stream, to);
    }
    for (const [side, { from: first, to }] of ended.sides.entries()) {
      const { relayed: came, notRelayed } = relayed[1 - side]!;
      if (notRelayed > 0 || came < leastRelayed * (to - first))
        result.failures.push(`${from}: of ${to - first} packets that were sent ${came} were relayed`);
    }
    await stage.signalling.hangUpCall(call);
    check.add(ended);
  };

  const keepTalking = async (call: number): Promise<void> => {
    await sleep(systemClock, (call * 1000) / firstCallsPerSecond);
    while (!isBroken && systemClock.monotonicUs() < untilUs)
      try {
        await talk(call);
      } catch (error) {
        if (!(error instanceof CallRefused)) {
          isBroken = true;
          throw error;
        }
        if (error.status === 503) result.refused++;
        else result.failures.push(error.message);
        await sleep(systemClock, retryMs);
      }
  };

  await Promise.all(Array.from({ length: calls }, (_, call) => keepTalking(call)));
  await check.finish();
  return result;
}

/** Both parties fall silent. @returns what came to each, once what was on its way is there */
async function hushCall(load: LoadGenerator, streams: readonly number[]): Promise<RelayedPackets[]> {
  for (const stream of streams) load.hush(stream);
  const untilUs = systemClock.monotonicUs() + relayTimeoutMs * 1000;
  await sleep(systemClock, lastPacketsMs);
  for (;;) {
    const relayed = await Promise.all(streams.map((stream) => load.relayed(stream)));
    const isWhole = relayed.every(({ notRelayed }) => notRelayed === 0);
    if (isWhole || systemClock.monotonicUs() > untilUs) return relayed;
    await sleep(systemClock, relayPollMs);
  }
}
