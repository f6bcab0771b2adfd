import assert from 'node:assert/strict';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { decoded } from './channel-audio.ts';

const utteranceSamples = 8 * 500;

/** Says half a second that stands nowhere else. @returns it as the far end decodes it */
export function say(call: PhoneCall, seed: number): Promise<Int16Array> {
  return utter(call, noise({ samples: utteranceSamples, seed }));
}

/** Says the samples to their end. @returns them as the far end decodes them */
export async function utter(call: PhoneCall, samples: Int16Array): Promise<Int16Array> {
  const before = call.sentPayloads.length;
  assert.equal(await call.play(samples), true);
  return decoded(call, call.sentPayloads.slice(before));
}

/**
 * The longest time since then in which a phone that speaks and is sent audio sent nothing, or was sent nothing: what
 * this process or the media worker was held up for.
 */
export function longestWaitMs({ sentPayloads, receivedPackets }: PhoneCall, fromUs: number): number {
  const wait = (momentsUs: readonly number[]) => {
    const since = momentsUs.filter((atUs) => atUs >= fromUs);
    return Math.max(...since.slice(1).map((atUs, index) => atUs - since[index]!));
  };
  const sent = wait(sentPayloads.map(({ sentUs }) => sentUs));
  return Math.max(sent, wait(receivedPackets.map(({ arrivalUs }) => arrivalUs))) / 1000;
}
