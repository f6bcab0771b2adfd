import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertGarbage } from './test-packet-garbage.ts';
import { SocketNetwork } from './test-socket-network.ts';

/**
 * What is made for many packets at once is 75 and 90 for each at most, by both ends: each packet goes through four
 * sockets. An object of each packet's own is 32 more at least, one that each send or each receipt makes twice as much.
 */
const rounds = 60;
for (const [how, bytesPerPacket, load] of [
  ['relayed', 84, { calls: 100, participants: 2 }],
  ['mixed', 100, { calls: 10, participants: 10 }],
] as const)
  test(`a packet that is received, ${how}, recorded and sent by the driver ffi has no object of its own`, () =>
    assertGarbage({ bytesPerPacket, rounds }, load, (clock) => {
      const network = new SocketNetwork(clock, {});
      assert.equal(network.note, undefined, 'io_uring is to be had here');
      return network;
    }));

/** Node makes an array of some 70 bytes of the arguments of each `sendmsg`; 222 for each packet were the most. */
test('one that is received and sent without io_uring has none beside what Node makes of a call', () =>
  assertGarbage(
    { bytesPerPacket: 235, rounds },
    { calls: 100, participants: 2 },
    (clock) => new SocketNetwork(clock, { uring: false }),
  ));
