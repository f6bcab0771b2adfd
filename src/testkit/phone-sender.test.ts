import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../clock.ts';
import { FakeClock } from '../clock.ts';
import { lineCodecs } from './line-codec.ts';
import type { MediaPacket } from './media-packet.ts';
import { noise } from './noise.ts';
import type { PhoneSenderOptions } from './phone-sender.ts';
import { PhoneSender } from './phone-sender.ts';

interface Wire {
  clock: FakeClock;
  sender: PhoneSender;
  packets: { packet: MediaPacket; atMs: number }[];
}

function wire(options: Partial<PhoneSenderOptions> = {}, telephoneEventPayloadType?: number): Wire {
  const clock = new FakeClock();
  const startUs = clock.monotonicUs();
  const packets: Wire['packets'] = [];
  const sender = new PhoneSender(lineCodecs.PCMU, telephoneEventPayloadType, {
    clock,
    start: { ssrc: 5, sequenceNumber: 65_534, rtpTime: 2 ** 32 - 160 },
    keepAlive: undefined,
    send: (packet) => packets.push({ packet, atMs: (clock.monotonicUs() - startUs) / 1000 }),
    ...options,
  });
  return { clock, sender, packets };
}

const audio = (packets: number) => noise({ samples: packets * 160, seed: 2 });

test('a play leaves in packets of 20 ms on the grid, its numbers wrapping', async () => {
  const { clock, sender, packets } = wire();
  const played = sender.play(audio(4));
  clock.advanceMs(60);
  assert.equal(await played, true);
  assert.deepEqual(
    packets.map(({ atMs }) => atMs),
    [0, 20, 40, 60],
  );
  assert.deepEqual(
    packets.map(({ packet }) => [packet.sequenceNumber, packet.rtpTime, packet.marker]),
    [
      [65_534, 2 ** 32 - 160, true],
      [65_535, 0, false],
      [0, 160, false],
      [1, 320, false],
    ],
  );
  assert.deepEqual(
    Buffer.concat(packets.map(({ packet }) => packet.payload)),
    Buffer.from(lineCodecs.PCMU.encode(audio(4))),
  );
  assert.equal(clock.pendingTimers, 0);
});

test('what is played next follows without a gap, a digit in the middle takes its slots', () => {
  const { clock, sender, packets } = wire({}, 101);
  void sender.play(audio(2));
  void sender.pressDigit('5', 40);
  void sender.play(audio(1));
  clock.advanceMs(200);
  assert.deepEqual(
    packets.map(({ packet, atMs }) => [
      atMs,
      packet.payloadType,
      (packet.rtpTime + 160) >>> 0,
      packet.marker,
    ]),
    [
      [0, 0, 0, true],
      [20, 0, 160, false],
      [40, 101, 320, true],
      [60, 101, 320, false],
      [80, 101, 320, false],
      [100, 101, 320, false],
      [120, 0, 960, false],
    ],
  );
  assert.deepEqual(
    packets.map(({ packet }) => packet.sequenceNumber),
    [65_534, 65_535, 0, 1, 2, 3, 4],
  );
});

test('a pause moves the RTP clock on by whole slots and begins a talkspurt', () => {
  const { clock, sender, packets } = wire();
  void sender.play(audio(1));
  clock.advanceMs(1013);
  void sender.play(audio(1));
  clock.advanceMs(100);
  const [first, second] = packets.map(({ packet }) => packet);
  assert.equal((second!.rtpTime - first!.rtpTime) >>> 0, 51 * 160);
  assert.equal(packets[1]!.atMs, 1020, 'the next slot: it was not said before it was asked for');
  assert.equal(second!.sequenceNumber, 65_535);
  assert.equal(second!.marker, true);
});

test('silence keeps a stream alive between plays, without gap or overlap', () => {
  const { clock, sender, packets } = wire({ keepAlive: 'silence' });
  clock.advanceMs(105);
  void sender.play(audio(2));
  clock.advanceMs(95);
  assert.deepEqual(
    packets.map(({ atMs }) => atMs),
    [0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200],
  );
  packets.forEach(({ packet }, index) => {
    assert.equal((packet.rtpTime + 160) >>> 0, index * 160);
    const isSilent = packet.payload.every((byte) => byte === 0xff);
    assert.equal(isSilent, index !== 6 && index !== 7, `packet ${index}`);
  });
  sender.stop();
  assert.equal(clock.pendingTimers, 0);
});

test('ten minutes of silence does not drift', () => {
  const { clock, packets } = wire({ keepAlive: 'silence' });
  clock.advanceMs(600_000);
  assert.equal(packets.length, 30_001);
  assert.equal(packets.at(-1)?.atMs, 600_000);
});

test('after a stall the backlog leaves by tens, in order', () => {
  let stallUs = 0;
  const fake = new FakeClock();
  const clock: Clock = {
    unixMs: () => fake.unixMs(),
    monotonicUs: () => fake.monotonicUs() + stallUs,
    after: (delayMs, action) => fake.after(delayMs, action),
  };
  const sentAtMs: number[] = [];
  const { sender } = wire({
    clock,
    send: () => sentAtMs.push((clock.monotonicUs() - 1_000_000_000) / 1000),
  });
  void sender.play(audio(18));
  fake.advanceMs(20);
  stallUs = 200_000;
  fake.advanceMs(200);
  const burst = Array.from({ length: 10 }, () => 240);
  assert.deepEqual(sentAtMs, [0, 20, ...burst, 245, 260, 280, 300, 320, 340]);
});

test('a backlog is gone as soon on a machine that lets the phone send but now and then', () => {
  const fake = new FakeClock();
  const clock: Clock = {
    unixMs: () => fake.unixMs(),
    monotonicUs: () => fake.monotonicUs(),
    after: (_delayMs, action) => fake.after(400, action),
  };
  const sentAtMs: number[] = [];
  const { sender } = wire({
    clock,
    send: () => sentAtMs.push((clock.monotonicUs() - 1_000_000_000) / 1000),
  });
  void sender.play(audio(40));
  fake.advanceMs(1000);
  const at = (ms: number, packets: number) => Array.from({ length: packets }, () => ms);
  assert.deepEqual(sentAtMs, [...at(400, 10), ...at(800, 30)]);
});

test('an impaired play is lost and sent as planned, and the stream goes on with its numbers', () => {
  const { clock, sender, packets } = wire();
  void sender.play(audio(10), {
    lossSpans: [{ firstPacket: 2, packets: 3 }],
    ssrcChange: { atPacket: 6, ssrc: 77, sequenceNumber: 100, rtpTime: 5000 },
  });
  void sender.play(audio(1));
  clock.advanceMs(300);
  assert.deepEqual(
    sender.lost.map((packet) => packet.sequenceNumber),
    [0, 1, 2],
  );
  assert.equal(packets.length, 8);
  const last = packets.at(-1)!.packet;
  assert.deepEqual([last.ssrc, last.sequenceNumber, last.rtpTime], [77, 104, 5000 + 4 * 160]);
  assert.deepEqual(
    sender.sent.map(({ sequenceNumber }) => sequenceNumber),
    packets.map(({ packet }) => packet.sequenceNumber),
  );
});

test('while muted the clock goes on and the packets are lost', async () => {
  const { clock, sender, packets } = wire();
  const played = sender.play(audio(4));
  clock.advanceMs(20);
  sender.muted = true;
  clock.advanceMs(20);
  sender.muted = false;
  clock.advanceMs(20);
  assert.equal(await played, true);
  assert.deepEqual(
    packets.map(({ packet }) => packet.sequenceNumber),
    [65_534, 65_535, 1],
  );
  assert.equal(sender.lost.length, 1);
});

test('stopping ends every play as not completed, and later ones too', async () => {
  const { clock, sender, packets } = wire({}, 101);
  const plays = [sender.play(audio(4)), sender.pressDigit('1', 100)];
  clock.advanceMs(20);
  sender.stop();
  assert.deepEqual(await Promise.all(plays), [false, false]);
  assert.equal(await sender.play(audio(1)), false);
  clock.advanceMs(100);
  assert.equal(packets.length, 2);
  assert.equal(clock.pendingTimers, 0);
});

test('without telephone-event no key can be pressed', () => {
  const { sender } = wire();
  assert.throws(() => sender.pressDigit('1', 100), /telephone-event/);
});
