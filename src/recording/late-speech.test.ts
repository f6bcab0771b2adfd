import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { tone } from '../audio/tone.ts';
import { decoderFor } from '../media/codec-table.ts';
import type { RoomMode } from '../media/control.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { formats, only } from '../media/test-voice.ts';
import { rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { keyPressPayloads } from '../rtp/telephone-event.ts';
import { readTrack } from '../spool/reader.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { HeldUp } from './test-held-up.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const [before, secret, after] = [0x11, 0x22, 0x33];
const silence = 0xff;

describe('what was said in a pause of the call and comes behind it', () => {
  let bench: RecordingBench;
  let speaker: TestPhone;
  let listener: TestPhone;

  beforeEach(() => {
    bench = new RecordingBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  /** Both calls are recorded by themselves, the room that they are in too. */
  async function connect(mode: RoomMode = 'mix', overrides = {}): Promise<void> {
    speaker = await bench.call('a', overrides);
    listener = await bench.call('b');
    await bench.record('a', 'ra', { options: { terminators: '#5' } });
    await bench.record('b', 'rb');
    await bench.recordRoom('room', 'rr');
    await bench.join('a', 'room', { mode });
    await bench.join('b', 'room', { mode });
    await say(before, 5);
  }
  const pause = () =>
    bench.execute({ verb: 'recording.pause', recordingId: 'rb', behaviour: 'skip', scope: 'call' });
  const resume = () => bench.execute({ verb: 'recording.resume', recordingId: 'rb' });
  /** One packet in each slot, from both: the listener says nothing of interest. */
  async function say(mark: number, packets: number): Promise<void> {
    for (let i = 0; i < packets; i++) {
      await speaker.send({ payload: new Uint8Array(160).fill(mark) });
      await listener.send({ payload: new Uint8Array(160).fill(silence) });
      await bench.slots(1);
    }
  }
  const rooms = { ra: 'call-a', rb: 'call-b', rr: 'room' } as const;

  /** How many packets of each recording hold 10 ms of the mark in a row, whoever said or heard it. */
  function packetsWith(mark: number): Record<string, number> {
    const found = (payload: Uint8Array): boolean =>
      Buffer.from(payload).includes(new Uint8Array(80).fill(mark));
    return Object.fromEntries(
      Object.entries(rooms).map(([recordingId, roomId]) => [
        recordingId,
        bench
          .open(recordingId, roomId)
          .tracks.flatMap((track) => [...readTrack(track)])
          .filter((record) => record.kind === 'packet' && found(record.payload)).length,
      ]),
    );
  }

  async function stop(): Promise<void> {
    for (const [recordingId, roomId] of Object.entries(rooms))
      if (!bench.open(recordingId, roomId).end)
        await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    await bench.slots(3);
  }

  /** What came before and after is everywhere, the rest is nowhere. */
  async function check(packetsAfter: number): Promise<void> {
    await bench.slots(8);
    await stop();
    assert.deepEqual(packetsWith(secret), { ra: 0, rb: 0, rr: 0 });
    const { rb = 0, ...said } = packetsWith(after);
    assert.deepEqual(said, { ra: packetsAfter, rr: packetsAfter });
    // Who listens hears one more: the end might have been a loss.
    assert.ok(rb === packetsAfter || rb === packetsAfter + 1, `${rb}`);
    const all = packetsWith(before);
    assert.ok(all.ra === 5 && all.rr === 5 && all.rb! > 0, JSON.stringify(all));
  }

  for (const mode of ['mix', 'relay'] as const)
    it(`is in what nobody hears (${mode})`, async () => {
      await connect(mode);
      await pause();
      await say(secret, 5);
      const held = new HeldUp(speaker);
      for (let i = 0; i < 4; i++) held.say(secret);
      await bench.slots(4);
      await resume();
      await held.letGo();
      await bench.slots(1);
      speaker.timestamp += 160;
      await say(after, 10);
      await check(10);
    });

  it('is not heard though a stall held it up for seconds', async () => {
    await connect();
    await pause();
    await say(secret, 5);
    const held = new HeldUp(speaker);
    for (let i = 0; i < 150; i++) held.say(secret);
    await bench.slots(150);
    await resume();
    for (let i = 0; i < 50; i++) held.say(secret + 0x11);
    await bench.slots(50);
    await held.letGo();
    await say(after, 10);
    await bench.slots(20);
    await stop();
    assert.deepEqual(packetsWith(secret), { ra: 0, rb: 0, rr: 0 });
    assert.equal(packetsWith(after).ra, 60);
  });

  it('is not heard, be it of the stream before or the one after a change in the pause', async () => {
    await connect();
    await pause();
    await say(secret, 3);
    const former = new HeldUp(speaker);
    for (let i = 0; i < 3; i++) former.say(secret);
    Object.assign(speaker, { ssrc: speaker.ssrc + 50, timestamp: 77_000, sequenceNumber: 9 });
    await say(secret, 4);
    const latter = new HeldUp(speaker);
    for (let i = 0; i < 3; i++) latter.say(secret);
    await bench.slots(3);
    await resume();
    await latter.letGo();
    await former.letGo();
    await bench.slots(1);
    speaker.timestamp += 160;
    await say(after, 10);
    await check(10);
  });

  it('is not heard where its stream begins with it: what is sent at once is from before', async () => {
    await connect();
    await pause();
    await say(secret, 3);
    speaker.ssrc += 50;
    const held = new HeldUp(speaker);
    for (let i = 0; i < 10; i++) held.say(secret);
    await bench.slots(10);
    await resume();
    await held.letGo();
    await bench.slots(1);
    speaker.timestamp += 160;
    // The stream shows its pace: 40 ms of it may be of before.
    await say(after, 10);
    await bench.slots(8);
    await stop();
    assert.deepEqual(packetsWith(secret), { ra: 0, rb: 0, rr: 0 });
    assert.ok(packetsWith(after).ra! >= 8, JSON.stringify(packetsWith(after)));
  });

  it('is not heard as comfort noise either', async () => {
    await connect();
    await pause();
    await say(secret, 3);
    const held = new HeldUp(speaker);
    held.say(40, 13);
    await bench.slots(5);
    await resume();
    await held.letGo();
    await bench.slots(5);
    await stop();
    const noise = Object.entries(rooms).flatMap(([recordingId, roomId]) =>
      bench
        .open(recordingId, roomId)
        .tracks.flatMap((track) => [...readTrack(track)])
        .filter((record) => record.kind === 'format' && record.codec === 'CN'),
    );
    assert.deepEqual(noise, []);
    // Digital silence, as nobody says anything else: noise would be heard.
    const heard = await bench.render('rb', rooms.rb);
    assert.ok(heard.subarray(-5 * 160).every((sample) => sample === 0));
  });

  for (const format of [formats.opus, formats.g722])
    it(`is not in what an encoder or a filter still holds of it (${format.codec})`, async () => {
      speaker = await bench.call('a');
      listener = await bench.call('b', only(format));
      await bench.record('b', 'rb');
      await bench.join('a', 'room');
      await bench.join('b', 'room');
      const loud = tone({ rateHz: 8000, frequencyHz: 900, levelDbov: -6 }, 10 * 160);
      await bench.slots(10, [[speaker, loud]]);
      await pause();
      await bench.slots(10, [[speaker, loud]]);
      await resume();
      await bench.slots(10, [[speaker, new Int16Array(0)]]);
      await bench.execute({ verb: 'recording.stop', recordingId: 'rb', reason: 'stopped' });
      await bench.slots(3);
      const pausedUs = 200_000;
      const decoder = decoderFor(format);
      const samples = new Int16Array(960);
      let loudest = 0;
      let packets = 0;
      for (const track of bench.open('rb', rooms.rb).tracks)
        for (const record of readTrack(track)) {
          if (track.side !== 'heard' || record.kind !== 'packet' || record.arrivalUs <= pausedUs) continue;
          packets++;
          const decoded = decoder.decode(record.payload, samples);
          for (const sample of samples.subarray(0, decoded)) loudest = Math.max(loudest, Math.abs(sample));
        }
      assert.ok(packets > 5);
      assert.ok(loudest < 100, `${loudest}`);
    });

  it('is heard where the clock of the party stood still in the pause: it is said now', async () => {
    await connect();
    await pause();
    await say(secret, 3);
    await bench.slots(150);
    await resume();
    await say(after, 10);
    await bench.slots(8);
    await stop();
    assert.deepEqual(packetsWith(secret), { ra: 0, rb: 0, rr: 0 });
    assert.ok(packetsWith(after).ra! >= 8, JSON.stringify(packetsWith(after)));
  });

  const digits = () =>
    Object.entries(rooms)
      .flatMap(([recordingId, roomId]) => bench.open(recordingId, roomId).tracks)
      .flatMap((track) => [...readTrack(track)])
      .flatMap((record) => (record.kind === 'digit' ? record.digit : []))
      .join('');
  const told = () =>
    bench.events.flatMap((event) => (event.event === 'leg.digit' ? event.digit : [])).join('');

  it('is no key: one that was pressed in it and comes as a whole afterwards ends nothing', async () => {
    await connect();
    await pause();
    await say(secret, 3);
    const held = new HeldUp(speaker);
    for (const { payload, marker } of keyPressPayloads('#', {
      ...{ durationMs: 100, ptimeMs: 20, clockRateHz: 8000 },
    })) {
      const { sequenceNumber, timestamp, ssrc } = speaker;
      const datagram = new Uint8Array(rtpHeaderBytes + payload.length);
      writeRtpHeader(datagram, { marker, payloadType: 101, sequenceNumber, timestamp, ssrc });
      datagram.set(payload, rtpHeaderBytes);
      held.hold(datagram, 0);
    }
    await bench.slots(5);
    speaker.timestamp += 800;
    await resume();
    await held.letGo();
    await bench.record('a', 'new', { options: { terminators: '#' } });
    await say(after, 3);
    await speaker.press('7');
    await bench.slots(6);
    assert.equal(bench.open('new', rooms.ra).end, undefined);
    assert.equal(bench.open('ra', rooms.ra).end, undefined);
    await stop();
    assert.equal(digits().replaceAll('7', ''), '');
    assert.equal(told(), '#7');
  });

  it('is no key in the audio: one that is held down until it is over is of the pause', async () => {
    await connect('mix', { telephoneEvent: undefined });
    const toneOf = (frequencyHz: number) => tone({ rateHz: 8000, frequencyHz, levelDbov: -20 }, 480 * 8);
    const [low, high] = [toneOf(770), toneOf(1336)];
    const five = low.map((sample, i) => sample + high[i]!);
    await pause();
    await bench.slots(12, [[speaker, five.subarray(0, 12 * 160)]]);
    await resume();
    await bench.slots(12, [[speaker, five.subarray(12 * 160)]]);
    await bench.slots(15, [[speaker, new Int16Array(0)]]);
    assert.equal(bench.open('ra', rooms.ra).end, undefined);
    await bench.slots(20, [[speaker, five.subarray(0, 8 * 160)]]);
    assert.equal(bench.open('ra', rooms.ra).end?.reason, 'terminator');
    await stop();
    assert.equal(told(), '55', 'the application gets each once');
    assert.equal(digits().replaceAll('55', '5'), '5');
  });

  it('is no report of its stream', async () => {
    const report = (rtpTime: number): Uint8Array => {
      const bytes = new DataView(new ArrayBuffer(28));
      bytes.setUint8(0, 0x80);
      bytes.setUint8(1, 200);
      bytes.setUint16(2, 6);
      bytes.setUint32(4, speaker.ssrc);
      bytes.setUint32(8, 4_000_000_000);
      bytes.setUint32(16, rtpTime);
      return new Uint8Array(bytes.buffer);
    };
    await connect('mix', { rtcp: { mux: true } });
    await pause();
    await say(secret, 5);
    const late = report(speaker.timestamp - 320);
    await resume();
    await say(after, 1);
    await speaker.sendRaw(late);
    await say(after, 2);
    await speaker.sendRaw(report(speaker.timestamp));
    await say(after, 1);
    await stop();
    const reports = bench
      .open('ra', rooms.ra)
      .tracks.flatMap((track) => [...readTrack(track)])
      .flatMap((record) => (record.kind === 'sender-report' ? record.rtpTime : []));
    assert.deepEqual(reports, [speaker.timestamp - 160]);
  });

  it('is not heard by those who go on without the one who paused them', async () => {
    const [c, d] = [await bench.call('c'), await bench.call('d')];
    await bench.record('d', 'rd');
    await connect();
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await pause();
    await bench.join('c', 'room');
    await bench.join('d', 'room');
    await bench.slots(10, [[c, tone({ rateHz: 8000, frequencyHz: 900, levelDbov: -10 }, 1600)]]);
    for (let i = 0; i < 5; i++) await c.send({ payload: new Uint8Array(160).fill(0x20) });
    await bench.receive();
    await bench.execute({ verb: 'room.leave', legId: 'b' });
    await bench.slots(10, [[d, new Int16Array(0)]]);
    await bench.execute({ verb: 'recording.stop', recordingId: 'rd', reason: 'stopped' });
    await bench.slots(3);
    const heard = await bench.render('rd', 'call-d');
    assert.ok(heard.length > 0);
    assert.ok(heard.every((sample) => Math.abs(sample) < 200));
  });
});
