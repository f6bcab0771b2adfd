import assert from 'node:assert/strict';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, findPayloadRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';

/**
 * Waits until one party has heard all that the other said, bit for bit: what was said last is still on its way.
 * @throws AssertionError that says what of it was heard
 */
export async function assertHeard(listener: PhoneCall, speaker: PhoneCall, label: string): Promise<void> {
  const isHeard = () => findPayloadRun(listener.received(), speaker.sent()) >= 0 || undefined;
  await eventually(label, isHeard).catch(() =>
    assertExactRun(listener.received(), speaker.sent(), { label }),
  );
}

/** As `assertHeard`, both ways. */
export async function assertBothHeard(caller: PhoneCall, called: PhoneCall): Promise<void> {
  await assertHeard(caller, called, 'what the caller heard');
  await assertHeard(called, caller, 'what the called party heard');
}

/** Enough to be found nowhere else. */
const edgeSamples = 80;
/** Shorter silence is in every voice. */
const leastHoleSamples = 100;

/** Live audio without the slots that a busy machine was too late for: what plays to a call goes on behind them. */
export function withoutHoles(samples: Int16Array): Int16Array {
  const kept = new Int16Array(samples.length);
  let length = 0;
  for (let at = 0; at < samples.length; ) {
    let to = at;
    while (to < samples.length && samples[to] === 0) to++;
    if (to - at < leastHoleSamples) to = Math.max(to, at + 1);
    else at = to;
    kept.set(samples.subarray(at, to), length);
    length += to - at;
    at = to;
  }
  return kept.subarray(0, length);
}

/**
 * Waits until a phone has heard what was played to it: all of it, in order, and in no less time; holes are in addition
 * to the silence that was asked for.
 */
export async function assertPlayed(
  phone: PhoneCall,
  sound: Int16Array,
  label = 'what was played',
): Promise<void> {
  const voice = withoutHoles(sound);
  const heard = () => withoutHoles(phone.received());
  await eventually(label, () => findPayloadRun(heard(), voice) >= 0 || undefined).catch(() =>
    assertExactRun(heard(), voice, { label }),
  );
  const received = phone.received();
  const since = received.subarray(findPayloadRun(received, voice.subarray(0, edgeSamples)));
  const { length } = since.subarray(0, since.findLastIndex((sample) => sample !== 0) + 1);
  assert.ok(length >= lengthOfSound(sound), `${label}: ${length} samples, ${sound.length} were played`);
}

/** From the first to the last that is no silence. */
function lengthOfSound(sound: Int16Array): number {
  return sound.findLastIndex((sample) => sample !== 0) + 1 - sound.findIndex((sample) => sample !== 0);
}
