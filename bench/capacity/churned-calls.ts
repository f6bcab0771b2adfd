import { sleep, systemClock } from '../../src/clock.ts';
import { connectLegs, relayedAfterMs, type Stage, streamsOf } from './connect-call.ts';
import type { StreamTotals } from './load-generator.ts';
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
/** Of what the other party sent; packets that are on their way when a stream ends are not waited for. */
const leastReceived = 0.5;

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
  const before = new Map<number, StreamTotals>();
  let nextCaller = options.firstCaller;

  const talk = async (call: number): Promise<void> => {
    const from = callerOf(nextCaller++);
    const srtp = { caller: call % srtpEvery === 0, called: false };
    const legs = await connectLegs(stage, call, { from, srtp, expectsRelayed: false });
    const [caller, called] = streamsOf(call);
    const relayed = systemClock.after(relayedAfterMs, () => stage.load.expectRelayed(caller, called));
    result.setUp++;
    for (const { port } of [legs.caller, legs.called]) legsByPort.set(port, (legsByPort.get(port) ?? 0) + 1);
    const seconds = leastSeconds + Math.random() * (mostSeconds - leastSeconds);
    await sleep(systemClock, seconds * 1000);
    relayed.cancel();
    const ended: EndedCall = { from, sides: [] };
    const received: number[] = [];
    for (const stream of [caller, called]) {
      const totals = await stage.load.endStream(stream);
      ended.sides.push({ stream, from: before.get(stream)?.sent ?? 0, to: totals.sent });
      received.push(totals.received - (before.get(stream)?.received ?? 0));
      before.set(stream, totals);
    }
    for (const [side, { from: first, to }] of ended.sides.entries())
      if (received[1 - side]! < leastReceived * (to - first))
        result.failures.push(`${from}: ${received[1 - side]} packets came of ${to - first} that were sent`);
    await sleep(systemClock, lastPacketsMs);
    await stage.signalling.hangUpCall(call);
    check.add(ended);
  };

  const keepTalking = async (call: number): Promise<void> => {
    await sleep(systemClock, (call * 1000) / firstCallsPerSecond);
    while (systemClock.monotonicUs() < untilUs)
      try {
        await talk(call);
      } catch (error) {
        if (!(error instanceof CallRefused)) throw error;
        if (error.status === 503) result.refused++;
        else result.failures.push(error.message);
        await sleep(systemClock, retryMs);
      }
  };

  await Promise.all(Array.from({ length: calls }, (_, call) => keepTalking(call)));
  await check.finish();
  return result;
}
