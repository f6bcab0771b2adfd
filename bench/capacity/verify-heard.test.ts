import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeUlaw } from '../../src/codec/g711.ts';
import { packetSamples, StreamAudio } from './stream-audio.ts';
import { type Participant, verifyHeard } from './verify-heard.ts';

const audio = await StreamAudio.load();
const packets = 120;

/** What a faulty conference does to what somebody is sent in a slot. */
interface Faults {
  /** Which packet of a party is in a slot, behind the usual one. */
  late?(party: number, slot: number): number;
  /** How loud a party is for a listener, who does not hear itself. */
  gain?(party: number, listener: number, slot: number): number;
  /** Whether the listener is sent the slot. */
  isSent?(listener: number, slot: number): boolean;
}

/** A conference by itself, whose members' playout delays and beginnings differ. */
function conference(members: number, faults: Faults = {}, talkers = members): Participant[] {
  const { isSent = () => true } = faults;
  return Array.from({ length: members }, (_, listener) => {
    const slots = Array.from({ length: packets }, (_none, slot) => slot).filter(
      (slot) => slot >= listener % 2 && isSent(listener, slot),
    );
    return {
      heard: {
        ...{ nextPacket: firstPacketOf(listener), dueUs: 1000 * (listener % 20) },
        atUs: Uint32Array.from(slots, (slot) => 12_000 + slot * 20_000 + ((slot * 7 + listener) % 5) * 1000),
        rtpTime: Uint32Array.from(slots, (slot) => 4_294_960_000 + listener * 999 + slot * packetSamples),
        payloads: Uint8Array.from(slots.flatMap((slot) => [...sentTo(listener, slot, talkers, faults)])),
      },
      said: listener < talkers ? (packet, count) => audio.said(streamOf(listener), packet, count) : undefined,
      sends: true,
    };
  });
}

function sentTo(listener: number, slot: number, talkers: number, faults: Faults): Uint8Array {
  const { late = () => 0, gain = (party) => (party === listener ? 0 : 1) } = faults;
  const sum = new Float64Array(packetSamples);
  for (let party = 0; party < talkers; party++) {
    const packet = firstPacketOf(party) + slot - 3 - (party % 3) - late(party, slot);
    const level = gain(party, listener, slot);
    for (const [i, sample] of audio.said(streamOf(party), packet, 1).entries()) sum[i]! += level * sample;
  }
  const payload = new Uint8Array(packetSamples);
  encodeUlaw(
    Int16Array.from(sum, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample)))),
    payload,
  );
  return payload;
}

function firstPacketOf(party: number): number {
  return 700 + party * 13;
}

function streamOf(party: number): number {
  return party * 37;
}

function findings(participants: readonly Participant[]) {
  return verifyHeard(participants, packets).participants;
}

const nothing = { unheardPackets: 0, wrongPackets: 0 };

for (const members of [2, 3, 10, 40])
  test(`${members} who hear each other`, () => {
    const { participants, heardAfterMs } = verifyHeard(conference(members), packets);
    assert.deepEqual(participants, Array(members).fill(nothing));
    assert.ok(heardAfterMs > 60 && heardAfterMs < 160, `${heardAfterMs}`);
  });

test('two who talk, and others who are silent', () => {
  assert.deepEqual(findings(conference(6, {}, 2)), Array(6).fill(nothing));
});

describe('everything that is heard is wrong', () => {
  const all: Record<string, Faults> = {
    'pure silence': { gain: () => 0 },
    'half the room': { gain: (party, listener) => (party !== listener && party < 3 ? 1 : 0) },
    'with an echo': { gain: () => 1 },
    'somebody is missing': { gain: (party, listener) => (party !== listener && party !== 5 ? 1 : 0) },
    'somebody is twice as loud': {
      gain: (party, listener) => (party === listener ? 0 : party === 4 ? 2 : 1),
    },
    'somebody is a little quieter': {
      gain: (party, listener) => (party === listener ? 0 : party === 4 ? 0.8 : 1),
    },
    'somebody from half a second ago': { late: (party) => (party === 3 ? 25 : 0) },
  };
  for (const [what, faults] of Object.entries(all))
    test(what, () => {
      const heard = findings(conference(6, faults));
      const correct = heard.filter(({ wrongPackets }) => wrongPackets < packets / 2).length;
      // Who is missing hears all that there is.
      assert.ok(correct <= 1, JSON.stringify(heard));
    });
});

test('an echo for one of them only', () => {
  const heard = findings(
    conference(10, { gain: (party, listener) => (party !== listener || party === 0 ? 1 : 0) }),
  );
  assert.ok(heard[0]!.wrongPackets > packets / 2);
  assert.ok(heard.slice(1).every(({ wrongPackets }) => wrongPackets < packets / 20));
});

test('one of them is sent nothing, and one every other slot', () => {
  const heard = findings(
    conference(10, { isSent: (listener, slot) => listener !== 3 && (listener !== 4 || slot % 2 === 0) }),
  );
  for (const [index, each] of heard.entries()) {
    assert.equal(each.wrongPackets, 0);
    assert.equal(each.unheardPackets, index === 3 ? packets - 2 : index === 4 ? (packets - 2) / 2 : 0);
  }
});

test('a playout delay that changes costs a packet at most', () => {
  const late = (party: number, slot: number) =>
    party === 2 && slot >= 40 ? 1 : party === 5 && slot >= 90 ? -1 : 0;
  for (const { unheardPackets, wrongPackets } of findings(conference(10, { late }))) {
    assert.equal(unheardPackets, 0);
    assert.ok(wrongPackets <= 2);
  }
});

test('a packet that is something else', () => {
  const participants = conference(5);
  participants[1]!.heard.payloads.fill(0x55, 20 * packetSamples, 21 * packetSamples);
  participants[1]!.heard.rtpTime[60]! += 3;
  assert.deepEqual(
    findings(participants).map((each) => each.wrongPackets),
    [0, 2, 0, 0, 0],
  );
  assert.equal(findings(participants)[1]!.unheardPackets, 1);
});
