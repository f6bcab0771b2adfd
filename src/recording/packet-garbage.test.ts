import { test } from 'node:test';
import { assertGarbage } from './test-packet-garbage.ts';
import { SteadyTransport } from './test-steady-transport.ts';

/** What is made for many packets at once is 37 and 53 for each at most; the least object of each packet's own is 16 more. */
const rounds = 40;
for (const [how, bytesPerPacket, load] of [
  ['relayed', 43, { calls: 100, participants: 2 }],
  ['mixed', 58, { calls: 10, participants: 10 }],
] as const)
  test(`a packet that is ${how} and recorded has no object of its own`, () =>
    assertGarbage({ bytesPerPacket, rounds }, load, () => new SteadyTransport()));
