import assert from 'node:assert/strict';
import { noise } from '../../src/testkit/noise.ts';
import type { Party } from './recorder-stage.ts';

/** Has the party say what stands nowhere else. @returns some of the payloads that left */
export async function saySecret(call: Party['call'], seed: number): Promise<Uint8Array[]> {
  const before = call.sentPayloads.length;
  assert.equal(await call.play(noise({ samples: 8 * 600, seed })), true);
  const payloads = call.sentPayloads.slice(before).map(({ payload }) => payload);
  return payloads.slice(10, 20);
}
