import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeUlaw } from '../codec/g711.ts';
import type { RtpPacketView } from '../rtp/packet.ts';
import { type KeyPress, TelephoneEventReceiver } from '../rtp/telephone-event.ts';
import type { DigitsSend } from './control.ts';
import { MediaBench } from './test-bench.ts';

/** What a receiver makes of the packets, and in which packet each key went down. */
function keyPresses(packets: RtpPacketView[], payloadType = 101, clockRateHz = 8000): KeyPress[] {
  const presses: KeyPress[] = [];
  const receiver = new TelephoneEventReceiver(clockRateHz, (press) => presses.push(press));
  for (const packet of packets)
    if (packet.payloadType === payloadType) receiver.receive(packet.payload(), packet.timestamp, 0);
  receiver.end();
  return presses;
}

/** Every number once and in order, and a time that never goes back. */
function assertOrderly(packets: RtpPacketView[]): void {
  for (const [i, packet] of packets.entries()) {
    assert.equal(packet.ssrc, packets[0]!.ssrc);
    assert.equal(packet.sequenceNumber, (packets[0]!.sequenceNumber + i) & 0xffff);
    if (i > 0) assert.ok(((packet.timestamp - packets[i - 1]!.timestamp) | 0) >= 0);
  }
}

describe('DigitSender', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  const send = (digits: string, options: Partial<DigitsSend> = {}) =>
    bench.execute({
      verb: 'digits.send',
      legId: 'a',
      digitsId: digits,
      digits,
      durationMs: 100,
      gapMs: 60,
      ...options,
    });
  const ended = () => bench.events.filter(({ event }) => event === 'digits.ended');

  it('presses keys that a receiver reads back, with their lengths, gaps and pauses', async () => {
    const phone = await bench.call('a');
    await send('1w#');
    await send('D', { durationMs: 250 });
    await bench.slots(80);
    const presses = keyPresses(phone.received);
    assert.deepEqual(
      presses.map(({ digit, durationMs }) => [digit, durationMs]),
      [
        ['1', 100],
        ['#', 100],
        ['D', 250],
      ],
    );
    const [first = 0, second = 0, third = 0] = presses.map(({ rtpTime }): number => rtpTime);
    assert.equal((second - first) >>> 0, (100 + 60 + 500) * 8);
    assert.equal((third - second) >>> 0, (100 + 60) * 8);
    assert.deepEqual(ended(), [
      { event: 'digits.ended', legId: 'a', digitsId: '1w#', reason: 'finished', sent: '1#' },
      { event: 'digits.ended', legId: 'a', digitsId: 'D', reason: 'finished', sent: 'D' },
    ]);
    assertOrderly(phone.received);
  });

  it('sends the end of a key three times, the marker once, and no audio while it is down', async () => {
    const phone = await bench.call('a');
    await bench.slots(2);
    await send('5');
    await bench.slots(7);
    const shape = phone.received.map(({ payloadType, marker }) => `${payloadType}${marker ? ' marker' : ''}`);
    const events = ['101 marker', ...Array.from({ length: 6 }, () => '101')];
    assert.deepEqual(shape, ['0 marker', '0', ...events, '0 marker', '0']);
    const [audio, , down] = phone.received;
    const after = phone.received.at(-2);
    assert.equal((down!.timestamp - audio!.timestamp) >>> 0, 320);
    assert.equal((after!.timestamp - down!.timestamp) >>> 0, 800);
    assert.equal(phone.received.at(-3)!.payload()[1]! & 0x80, 0x80);
  });

  it("uses the peer's own payload type where it differs", async () => {
    const phone = await bench.call('a', {
      telephoneEvent: { payloadType: 101, clockRateHz: 8000, sendPayloadType: 97 },
    });
    await send('9');
    await bench.slots(10);
    assert.equal(keyPresses(phone.received, 97).length, 1);
    await phone.press('3');
    await bench.slots(1);
    assert.ok(bench.events.some((event) => event.event === 'leg.digit' && event.digit === '3'));
  });

  it('hears key presses at each clock agreed, and sends them with the clock of the codec it sends', async () => {
    const opus = { payloadType: 111, codec: 'OPUS', clockRateHz: 48_000 } as const;
    const pcmu = { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 } as const;
    const agreed = {
      receive: [opus, pcmu],
      send: opus,
      telephoneEvent: { payloadType: 97, clockRateHz: 48_000, sendPayloadType: 100 },
      otherTelephoneEvents: [
        { payloadType: 101, clockRateHz: 8000 },
        { payloadType: 105, clockRateHz: 8000 },
      ],
    };
    const phone = await bench.call('a', agreed);
    const heard = () =>
      bench.events.flatMap((event) => (event.event === 'leg.digit' ? [[event.digit, event.durationMs]] : []));
    const keys: [string, number, number][] = [
      ['1', 97, 48_000],
      ['2', 101, 8000],
      ['3', 105, 8000],
      ['4', 97, 48_000],
    ];
    for (const [digit, payloadType, clockRateHz] of keys) {
      await phone.press(digit, { durationMs: 80, payloadType, clockRateHz });
      await bench.slots(1);
    }
    assert.deepEqual(
      heard(),
      keys.map(([digit]) => [digit, 80]),
    );

    await send('6');
    await bench.slots(10);
    const sent = phone.received.filter(({ payloadType }) => payloadType === 100);
    const end = sent.at(-1)!.payload();
    assert.deepEqual([...end], [6, 0x8a, 4800 >> 8, 4800 & 0xff]);

    await bench.execute(
      phone.negotiation('a', {
        ...agreed,
        send: pcmu,
        telephoneEvent: { payloadType: 101, clockRateHz: 8000, sendPayloadType: 105 },
        otherTelephoneEvents: [{ payloadType: 97, clockRateHz: 48_000 }],
      }),
    );
    await send('7');
    await bench.slots(10);
    assert.deepEqual(
      keyPresses(phone.received, 105).map(({ digit, durationMs }) => [digit, durationMs]),
      [['7', 100]],
    );
  });

  it('reports a key press once whose clock changes with the next one, and late packets of it never', async () => {
    const phone = await bench.call('a', { otherTelephoneEvents: [{ payloadType: 97, clockRateHz: 48_000 }] });
    const { timestamp } = phone;
    await phone.press('1', { ends: 0 });
    phone.timestamp = (timestamp + 4000) >>> 0;
    await phone.press('2', { payloadType: 97, clockRateHz: 48_000 });
    phone.timestamp = timestamp;
    await phone.press('1');
    await bench.slots(20);
    const heard = bench.events.flatMap((event) => (event.event === 'leg.digit' ? [event.digit] : []));
    assert.deepEqual(heard, ['1', '2']);
  });

  it('presses a key longer than one report can say', async () => {
    const opus = { payloadType: 111, codec: 'OPUS', clockRateHz: 48_000 } as const;
    const telephoneEvent = { payloadType: 97, clockRateHz: 48_000 };
    const phone = await bench.call('a', { receive: [opus], send: opus, telephoneEvent });
    await send('#', { durationMs: 4000 });
    for (let i = 0; i < 21; i++) await bench.slots(10);
    const sent = phone.received.filter(({ payloadType }) => payloadType === 97);
    assert.deepEqual(
      keyPresses(sent, 97, 48_000).map(({ digit, durationMs }) => [digit, durationMs]),
      [['#', 4000]],
    );
    const starts = [...new Set(sent.map(({ timestamp }) => timestamp))];
    assert.deepEqual(
      starts.map((start) => (start - starts[0]!) >>> 0),
      [0, 65_535, 131_070],
    );
    assertOrderly(phone.received);

    const seconds: [number, number][] = [];
    for (const durationMs of [1365, 1366, 4000]) {
      await phone.press('5', { durationMs, payloadType: 97, clockRateHz: 48_000 });
      await bench.slots(1);
      const event = bench.events.findLast((each) => each.event === 'leg.digit');
      seconds.push([durationMs, event?.durationMs ?? 0]);
    }
    for (const [pressed, heard] of seconds) assert.equal(heard, pressed);
  });

  it('lets a prompt wait while a key is down', async () => {
    const phone = await bench.call('a', { ptimeMs: 30 });
    const samples = Int16Array.from({ length: 1600 }, (_, i) => i * 16);
    await bench.execute({ verb: 'play.start', legId: 'a', playId: 'p', samples, rateHz: 8000 });
    await bench.slots(4);
    await send('7');
    await bench.slots(20);
    assert.deepEqual(
      keyPresses(phone.received).map(({ digit, durationMs }) => [digit, durationMs]),
      [['7', 100]],
    );
    assert.ok(
      bench.events.some((event) => event.event === 'play.ended' && event.playedMs === 200),
      'the whole prompt was sent',
    );
    const audio = phone.received.filter(({ payloadType }) => payloadType === 0);
    const heard = Uint8Array.from(audio.flatMap((packet) => [...packet.payload()]));
    const whole = new Uint8Array(1600);
    encodeUlaw(samples, whole);
    assert.deepEqual(heard.subarray(0, 1600), whole);
    assertOrderly(phone.received);
  });

  it('waits for the end of a hold', async () => {
    const phone = await bench.call('a');
    await bench.execute(phone.negotiation('a', { direction: 'inactive' }));
    await send('4');
    await bench.slots(20);
    assert.deepEqual(ended(), []);
    await bench.execute(phone.negotiation('a'));
    await bench.slots(10);
    assert.equal(keyPresses(phone.received)[0]?.digit, '4');
    assert.equal(ended().length, 1);
  });

  it('says how far it came when the leg is closed or takes no more events', async () => {
    const phone = await bench.call('a');
    await send('12w3');
    await send('9', { digitsId: 'second' });
    await bench.slots(12);
    await bench.execute(phone.negotiation('a', { telephoneEvent: undefined }));
    const end = { event: 'digits.ended', legId: 'a', reason: 'not-negotiated' };
    assert.deepEqual(ended(), [
      { ...end, digitsId: '12w3', sent: '1' },
      { ...end, digitsId: 'second', sent: '' },
    ]);
    await assert.rejects(send('1'), { code: 'NO_COMMON_CODEC' });
    await bench.execute(phone.negotiation('a'));
    await send('5w', { digitsId: 'third' });
    await bench.slots(20);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    assert.deepEqual(ended().at(-1), { ...end, digitsId: 'third', reason: 'leg-closed', sent: '5' });
  });

  it('takes no endless queue', async () => {
    await bench.call('a');
    for (let n = 0; n < 16; n++) await send('1', { digitsId: `${n}` });
    await assert.rejects(send('1'), { code: 'REQUEST_INVALID' });
  });
});
