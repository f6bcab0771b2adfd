import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { SteadyCalls } from './test-steady-calls.ts';

/** What is made for many packets at once is some 40 and 55 for each; an object of each packet's own 40 more at least. */
const mostBytes = { relayed: 60, mixed: 80 };
const packetsPerRound = 100_000;
/** Code that is not compiled yet makes more. */
const mostRounds = 20;
/** V8 counts its allocations by the piece, so one round may tell too little. */
const lastRounds = 3;

for (const [how, calls, participants] of [
  ['relayed', 100, 2],
  ['mixed', 10, 10],
] as const)
  test(`a packet that is ${how} and recorded has no object of its own`, async () => {
    const steady = new SteadyCalls(0, participants);
    for (let call = 0; call < calls; call++) await steady.open(call);
    const perPacket: number[] = [];
    do perPacket.push(garbageOfRound(steady));
    while (ofLastRounds(perPacket) >= mostBytes[how] && perPacket.length < mostRounds);
    const told = `bytes a packet, round by round: ${perPacket.map(Math.round).join(', ')}`;
    assert.ok(ofLastRounds(perPacket) < mostBytes[how], told);
    assert.equal(steady.transport.counters.sentPackets, steady.sentByPhones);
  });

/** @returns bytes a packet */
function garbageOfRound(steady: SteadyCalls): number {
  const packetsBefore = steady.sentByPhones;
  const before = allocatedBytes();
  while (steady.sentByPhones - packetsBefore < packetsPerRound) {
    steady.turn(true);
    steady.drain();
  }
  return (allocatedBytes() - before) / (steady.sentByPhones - packetsBefore);
}

/** @returns the mean of the last few; more than any where there are not as many yet */
function ofLastRounds(perPacket: readonly number[]): number {
  if (perPacket.length < lastRounds) return Number.POSITIVE_INFINITY;
  return perPacket.slice(-lastRounds).reduce((sum, bytes) => sum + bytes, 0) / lastRounds;
}

function allocatedBytes(): number {
  return (getHeapStatistics() as { total_allocated_bytes?: number }).total_allocated_bytes!;
}
