import assert from 'node:assert/strict';
import { getHeapStatistics } from 'node:v8';
import { FakeClock } from '../clock.ts';
import { type PhoneNetwork, SteadyCalls } from './test-steady-calls.ts';

const packetsPerRound = 50_000;
/** V8 counts its allocations by the piece, so one round may tell too little. */
const lastRounds = 4;

export interface GarbageLimit {
  bytesPerPacket: number;
  /** In which it is to be reached: code that is not compiled yet makes more. */
  rounds: number;
}

export interface Load {
  calls: number;
  participants: number;
}

/** Recorded calls make less garbage than that. */
export async function assertGarbage<Network extends PhoneNetwork>(
  { bytesPerPacket, rounds }: GarbageLimit,
  { calls, participants }: Load,
  openNetwork: (clock: FakeClock) => Network,
): Promise<void> {
  const clock = new FakeClock();
  const network = openNetwork(clock);
  try {
    const steady = new SteadyCalls(0, participants, clock, network);
    for (let call = 0; call < calls; call++) await steady.open(call);
    const perPacket: number[] = [];
    do perPacket.push(garbageOfRound(steady));
    while (ofLastRounds(perPacket) >= bytesPerPacket && perPacket.length < rounds);
    const told = `bytes a packet, round by round: ${perPacket.map(Math.round).join(', ')}`;
    assert.ok(ofLastRounds(perPacket) < bytesPerPacket, told);
    const { sentByPhones } = steady;
    const underway = sentByPhones - network.heardByPhones;
    assert.ok(underway >= 0 && underway <= calls * participants, `${underway} of ${sentByPhones} not heard`);
  } finally {
    await network.stop();
  }
}

/** @returns bytes a packet */
function garbageOfRound(steady: SteadyCalls<PhoneNetwork>): number {
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
