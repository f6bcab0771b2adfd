import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Placement } from './placement.ts';
import { randomOf } from './test-random.ts';
import { type TrackPacket, TrackPlacer } from './track-placer.ts';
import { TrackTimeline } from './track-timeline.ts';

/** Random packet histories: honest senders against their own account, hostile ones against what must always hold. */

interface Sent {
  ssrc: number;
  sequenceNumber: number;
  rtpTime: number;
  arrivalUs: number;
  /** Where the sender spoke it, in samples of the room's clock. */
  spokenSample: number;
  copy: boolean;
}

const nastySequences = [0, 1, 127, 128, 32767, 32768, 65407, 65534, 65535];
const nastyTimes = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];
const frame = 160;
const rateHz = 8000;
const networkUs = 40_000;

function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}

interface Sender {
  ssrc: number;
  sequence: number;
  rtpTime: number;
  spoken: number;
}

/** DTX pauses anywhere; at a change of clock a hold with frozen RTP time or a new SSRC. */
function speakOn(random: () => number, sender: Sender, sinceChange: number, holdMs: () => number): void {
  const changesClock = sinceChange === 0 && sender.spoken > 0;
  if (changesClock && random() < 0.5) {
    sender.spoken += (rateHz / 1000) * holdMs();
  } else if (changesClock) {
    sender.ssrc += 1;
    sender.sequence = pick(random, nastySequences);
    sender.rtpTime = pick(random, nastyTimes);
  } else if (random() < 0.005 && sinceChange > 5) {
    const pause = frame * Math.ceil(random() * 500);
    sender.spoken += pause;
    sender.rtpTime += pause;
  }
}

/**
 * An honest sender's call over a network that loses, delays and doubles. Packets next to a change of clock come on
 * time, for there the room knows the clock by arrival only.
 */
function honestCall(
  random: () => number,
  holdMs = (): number => 1000 * Math.ceil(2 + random() * 300),
  { quietPackets = 20, jittersUs = [0, 10_000, 60_000, 200_000] } = {},
): Sent[] {
  const sent: Sent[] = [];
  const sender = {
    ssrc: 1,
    sequence: pick(random, nastySequences),
    rtpTime: pick(random, nastyTimes),
    spoken: 0,
  };
  const lossRate = pick(random, [0, 0.01, 0.05, 0.3]);
  const jitterUs = pick(random, jittersUs);
  for (let k = 0; k < 1500; k += 1) {
    const sinceChange = k % 300;
    speakOn(random, sender, sinceChange, holdMs);
    const quiet = sinceChange < quietPackets || sinceChange > 300 - quietPackets;
    if (quiet || random() >= lossRate) {
      const arrivalUs = sender.spoken * 125 + networkUs + (quiet ? 0 : Math.floor(random() * jitterUs));
      const packet = {
        ssrc: sender.ssrc,
        sequenceNumber: sender.sequence & 0xffff,
        rtpTime: sender.rtpTime >>> 0,
        spokenSample: sender.spoken,
      };
      sent.push({ ...packet, arrivalUs, copy: false });
      if (!quiet && random() < 0.02)
        sent.push({ ...packet, arrivalUs: arrivalUs + Math.floor(random() * 50_000), copy: true });
    }
    sender.sequence += 1;
    sender.rtpTime += frame;
    sender.spoken += frame;
  }
  return sent.sort((a, b) => a.arrivalUs - b.arrivalUs);
}

test('honest calls: every packet lies where it was spoken, once, to the sample', () => {
  let changes = 0;
  for (let seed = 1; seed <= 150; seed += 1) {
    const call = honestCall(randomOf(seed));
    const timeline = new TrackTimeline({ rateHz, startSample: 0 });
    const placedSequences = new Set<string>();
    let ssrc = -1;
    for (const packet of call) {
      if (packet.ssrc !== ssrc) {
        ssrc = packet.ssrc;
        timeline.format({ codec: 'PCMU', clockRateHz: 8000, ssrc });
      }
      const placed = timeline.place(packet.sequenceNumber, packet.rtpTime, packet.arrivalUs, frame);
      const key = `${packet.ssrc} ${packet.spokenSample}`;
      if (placedSequences.has(key)) {
        assert.equal(placed, undefined, `seed ${seed}: ${key} placed twice`);
        continue;
      }
      placedSequences.add(key);
      const atSample = packet.spokenSample + (networkUs * rateHz) / 1_000_000;
      assert.deepEqual(placed, { atSample, durationSamples: frame }, `seed ${seed}: ${key}`);
    }
    const { counters } = timeline;
    const copies = call.filter(({ copy }) => copy).length;
    assert.equal(counters.duplicates, copies, `seed ${seed}`);
    assert.equal(counters.late + counters.early, 0);
    assert.equal(counters.packets, call.length);
    changes += timeline.marks.filter(({ kind }) => kind === 'ssrc-change' || kind === 'jump').length;
    assert.equal(timeline.endSample, Math.max(...call.map((each) => each.spokenSample)) + 320 + frame);
  }
  assert.ok(changes > 50, `only ${changes} changes of clock were tried`);
});

test('honest calls with short holds: every packet lies where it was spoken, whatever jitter there is between', () => {
  let holds = 0;
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = randomOf(seed * 31);
    const call = honestCall(random, () => 20 * Math.ceil(14 + random() * 40), {
      quietPackets: 60,
      jittersUs: [0, 10_000, 60_000],
    });
    const placed: (Sent & { atSample: number })[] = [];
    const placer = new TrackPlacer<Sent & TrackPacket>({ rateHz, startSample: 0 }, (packet, { atSample }) =>
      placed.push({ ...packet, atSample }),
    );
    for (const packet of call) {
      placer.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: packet.ssrc });
      placer.offer({ ...packet, durationTicks: frame });
    }
    placer.finish();
    for (const { atSample, spokenSample } of placed)
      assert.equal(atSample, spokenSample + (networkUs * rateHz) / 1_000_000, `seed ${seed}`);
    const { counters, marks } = placer.timeline;
    assert.equal(counters.late + counters.early, 0);
    assert.equal(placed.length, call.length - counters.duplicates);
    holds += marks.filter((mark) => mark.kind === 'jump').length;
  }
  assert.ok(holds > 50, `only ${holds} holds were tried`);
});

test('loss account: lost packets and gap samples equal what the network dropped inside the stream', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = randomOf(seed * 77);
    const timeline = new TrackTimeline({ rateHz, startSample: 0 });
    timeline.format({ codec: 'PCMA', clockRateHz: 8000, ssrc: 9 });
    const base = pick(random, nastySequences);
    const timeBase = pick(random, nastyTimes);
    const arriving = Array.from({ length: 2000 }, (_, k) => ({ k, atUs: k * 20_000 + random() * 90_000 }))
      .filter(({ k }) => k < 10 || k > 1980 || random() >= 0.05)
      .sort((a, b) => a.atUs - b.atUs);
    for (const { k, atUs } of arriving) {
      timeline.place((base + k) & 0xffff, (timeBase + k * frame) >>> 0, Math.floor(atUs) + 100_000, frame);
    }
    const { counters } = timeline;
    assert.equal(counters.late, 0);
    assert.equal(counters.lostPackets, 2000 - arriving.length);
    assert.equal(counters.gapSamples, counters.lostPackets * frame);
    const marked = timeline.marks.reduce((sum, mark) => sum + (mark.kind === 'gap' ? mark.samples : 0), 0);
    assert.equal(marked, counters.gapSamples);
  }
});

/** Anything at all, with a taste for the neighbourhood of what came before. */
function hostilePacket(random: () => number, before: Sent): Sent {
  const near = random() < 0.7;
  const sequenceNumber = near
    ? (before.sequenceNumber + Math.floor(random() * 8) - 3) & 0xffff
    : pick(random, [...nastySequences, Math.floor(random() * 65_536)]);
  const rtpTime =
    random() < 0.7
      ? (before.rtpTime + frame * (Math.floor(random() * 8) - 3) + (random() < 0.1 ? 13 : 0)) >>> 0
      : pick(random, [...nastyTimes, Math.floor(random() * 2 ** 32)]);
  const pausedUs = random() < 0.02 ? random() * 20_000_000 : random() * 30_000;
  const arrivalUs = before.arrivalUs + Math.floor(pausedUs);
  const ssrc = random() < 0.03 ? Math.floor(random() * 6) : before.ssrc;
  return { ssrc, sequenceNumber, rtpTime, arrivalUs, spokenSample: 0, copy: false };
}

test('hostile histories: nothing placed twice, nothing before what is settled, no unbounded lead', () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = randomOf(seed * 1013);
    const rate = pick(random, [8000, 16_000, 48_000]);
    const startSample = Math.floor(random() * rate);
    const timeline = new TrackTimeline({ rateHz: rate, startSample });
    let packet: Sent = {
      ...{ ssrc: 0, sequenceNumber: 65_530, rtpTime: 2 ** 32 - 500, copy: false },
      ...{ arrivalUs: Math.floor(random() * 2_000_000), spokenSample: 0 },
    };
    const placements: Placement[] = [];
    let settled = 0;
    for (let k = 0; k < 1500; k += 1) {
      packet = hostilePacket(random, packet);
      timeline.format({ codec: 'OPUS', clockRateHz: packet.ssrc % 2 ? 48_000 : 8000, ssrc: packet.ssrc });
      const nowSample = Math.floor((packet.arrivalUs * rate) / 1_000_000);
      settled = Math.max(settled, timeline.settledSample(nowSample));
      const duration = pick(random, [0, 80, 160, 160, 160, 960, 5760]);
      const placed = timeline.place(packet.sequenceNumber, packet.rtpTime, packet.arrivalUs, duration);
      if (!placed) continue;
      assert.ok(placed.atSample >= settled, `seed ${seed}: ${placed.atSample} before settled ${settled}`);
      assert.ok(placed.atSample <= nowSample + 1 + 60 * rate);
      assert.ok(Number.isInteger(placed.atSample) && Number.isInteger(placed.durationSamples));
      assert.ok(placed.durationSamples >= 0);
      assert.ok(placed.atSample + placed.durationSamples <= timeline.endSample);
      placements.push(placed);
    }
    const audible = placements
      .filter((each) => each.durationSamples > 0)
      .sort((a, b) => a.atSample - b.atSample);
    let end = startSample;
    for (const { atSample, durationSamples } of audible) {
      assert.ok(atSample >= end, `seed ${seed}: overlap at ${atSample}`);
      end = atSample + durationSamples;
    }
    const { packets, duplicates, late, early } = timeline.counters;
    assert.equal(placements.length, packets - duplicates - late - early);
  }
});

test('three million packets: exact at the end, and no memory grows with them', () => {
  const timeline = new TrackTimeline({ rateHz, startSample: 0 });
  timeline.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: 5 });
  const packets = 3_000_000;
  for (let k = 0; k < packets; k += 1) {
    const placed = timeline.place((65_000 + k) & 0xffff, (k * frame - 1) >>> 0, k * 20_000, frame);
    if (placed?.atSample !== k * frame) assert.fail(`packet ${k} lies at ${placed?.atSample}`);
  }
  assert.equal(timeline.endSample, packets * frame);
  assert.deepEqual(timeline.marks, []);
});
