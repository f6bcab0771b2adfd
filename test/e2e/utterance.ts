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
