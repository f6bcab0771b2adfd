import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RtpPacketView, RtpParser, rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import type { NegotiatedCodec } from './control.ts';
import { formerTypesUs, PayloadTypes } from './payload-types.ts';
import { formats } from './test-voice.ts';

const { pcmu, pcma, g722, opus } = formats;
const second = 1_000_000;
/** 20 ms of Opus: one CELT frame (RFC 6716 section 3.1). */
const opusByte = (31 << 3) | 0;

/** A stream of one peer, packet by packet. */
class Wire {
  readonly types = new PayloadTypes();
  nowUs = second;
  ssrc = 7;
  sequenceNumber = 65_530;
  timestamp = 4_294_966_000;

  agree(receive: NegotiatedCodec[], eventType = 101, eventHz = 8000): void {
    const telephoneEvent = { payloadType: eventType, clockRateHz: eventHz };
    this.types.prepare({ receive, telephoneEvent })(this.nowUs);
  }

  /** @returns the codec it is taken for, 'events', or undefined */
  send(payloadType: number, bytes: number, ticks: number, fill = opusByte): string | undefined {
    const data = new Uint8Array(rtpHeaderBytes + bytes).fill(fill);
    const { ssrc, sequenceNumber, timestamp } = this;
    writeRtpHeader(data, { marker: false, payloadType, sequenceNumber, timestamp, ssrc });
    this.sequenceNumber = (sequenceNumber + 1) & 0xffff;
    this.timestamp = (timestamp + ticks) >>> 0;
    this.nowUs += 20_000;
    const packet = new RtpPacketView();
    assert.ok(new RtpParser().parse(data, packet));
    const meaning = this.types.meaningOf(packet, this.nowUs);
    if (meaning) this.types.took(packet, meaning, this.nowUs);
    return meaning && (meaning.format?.codec ?? 'events');
  }

  pcmu = () => this.send(0, 160, 160);
  pcma = () => this.send(8, 160, 160);
}

describe('What payload types mean, from agreement to agreement', () => {
  it('is what was agreed, and nothing else', () => {
    const wire = new Wire();
    wire.agree([pcmu]);
    assert.equal(wire.pcmu(), 'PCMU');
    assert.equal(wire.send(101, 4, 0), 'events');
    assert.equal(wire.send(13, 1, 160), 'CN');
    assert.equal(wire.pcma(), undefined);
  });

  it('the former types hold until the first packet of a new one and a while longer', () => {
    const wire = new Wire();
    wire.agree([pcmu]);
    wire.pcmu();
    wire.agree([pcma], 96);
    wire.nowUs += 10 * second;
    assert.equal(wire.pcmu(), 'PCMU', 'the answer was long on its way');
    assert.equal(wire.send(101, 4, 0), 'events');
    assert.equal(wire.pcma(), 'PCMA');
    assert.equal(wire.pcmu(), 'PCMU', 'overtaken');
    wire.nowUs += formerTypesUs;
    assert.equal(wire.pcmu(), undefined);
    assert.equal(wire.send(101, 4, 0), undefined);
    assert.equal(wire.send(96, 4, 0), 'events');
    assert.equal(wire.pcma(), 'PCMA');
  });

  it('where nothing new was agreed, any audio ends it; noise does not', () => {
    const wire = new Wire();
    wire.agree([pcmu, pcma]);
    wire.agree([pcma]);
    wire.send(13, 1, 160);
    wire.nowUs += 3 * formerTypesUs;
    assert.equal(wire.pcmu(), 'PCMU');
    wire.pcma();
    wire.nowUs += formerTypesUs;
    assert.equal(wire.pcmu(), undefined);
  });

  it('a refresh changes nothing, one more change adds to what may still come', () => {
    const wire = new Wire();
    wire.agree([pcmu]);
    wire.agree([pcma]);
    wire.pcma();
    wire.nowUs += formerTypesUs - second;
    wire.agree([pcma]);
    wire.nowUs += second;
    assert.equal(wire.pcmu(), undefined);
    wire.agree([g722]);
    wire.agree([pcmu]);
    assert.equal(wire.pcma(), 'PCMA');
    assert.equal(wire.send(9, 160, 160), 'G722');
    assert.equal(wire.pcmu(), 'PCMU');
  });

  it('nothing changes before it is put in force', () => {
    const wire = new Wire();
    wire.agree([pcmu]);
    const strange = { payloadType: 111, codec: 'PCMU', clockRateHz: 11_025 } as const;
    assert.throws(() => wire.types.prepare({ receive: [strange], telephoneEvent: undefined }), {
      code: 'NO_COMMON_CODEC',
    });
    assert.equal(wire.pcmu(), 'PCMU');
  });

  it('a number that means something else now: lengths tell', () => {
    const wire = new Wire();
    wire.agree([{ ...opus, payloadType: 96 }]);
    const before = () => wire.send(96, 70, 960);
    const now = () => wire.send(96, 160, 160, 0);
    for (let i = 0; i < 3; i++) before();
    wire.agree([{ ...g722, payloadType: 96 }]);
    for (let i = 0; i < 5; i++) assert.equal(before(), 'OPUS', `${i}`);
    for (let i = 0; i < 5; i++) assert.equal(now(), 'G722', `${i}`);
    assert.equal(before(), 'G722', 'behind the switch there is no way back');
  });

  it('... where both fit, the clock tells; at the same rate the new meaning holds at once', () => {
    const wire = new Wire();
    wire.agree([{ ...opus, payloadType: 96 }]);
    const before = () => wire.send(96, 160, 960);
    for (let i = 0; i < 3; i++) before();
    wire.agree([{ ...g722, payloadType: 96 }]);
    for (let i = 0; i < 3; i++) assert.equal(before(), 'OPUS', `${i}`);
    wire.timestamp = (wire.timestamp - 800) >>> 0;
    assert.equal(wire.send(96, 160, 160), 'G722');
    assert.equal(wire.send(96, 160, 160), 'G722');
    wire.agree([{ ...pcma, payloadType: 96 }]);
    assert.equal(wire.send(96, 160, 160), 'PCMA');
  });

  it('... packets that went on unasked are known by the last of them', () => {
    const wire = new Wire();
    wire.agree([{ ...opus, payloadType: 96 }]);
    const before = () => wire.send(96, 160, 960);
    for (let i = 0; i < 3; i++) before();
    const packets = 40_000;
    wire.sequenceNumber = (wire.sequenceNumber + packets) & 0xffff;
    wire.timestamp = (wire.timestamp + packets * 960) >>> 0;
    wire.nowUs += packets * 20_000;
    wire.types.wentOn(toSequenceNumber(wire.sequenceNumber - 1), toRtpTimestamp(wire.timestamp - 960));
    wire.agree([{ ...g722, payloadType: 96 }]);
    for (let i = 0; i < 3; i++) assert.equal(before(), 'OPUS', `${i}`);
    wire.timestamp = (wire.timestamp - 800) >>> 0;
    assert.equal(wire.send(96, 160, 160), 'G722');
  });

  it('... another SSRC is a new stream, and late packets of the former one are still its own', () => {
    const wire = new Wire();
    wire.agree([{ ...opus, payloadType: 96 }]);
    for (let i = 0; i < 3; i++) wire.send(96, 160, 960);
    const { sequenceNumber, timestamp } = wire;
    wire.agree([{ ...g722, payloadType: 96 }]);
    wire.ssrc = 8;
    assert.equal(wire.send(96, 160, 960), 'G722');
    Object.assign(wire, { ssrc: 7, sequenceNumber, timestamp });
    assert.equal(wire.send(96, 160, 960), 'OPUS');
    wire.nowUs += formerTypesUs;
    assert.equal(wire.send(96, 160, 960), 'G722', 'never for longer');
  });

  it('... audio and key presses that changed places', () => {
    const wire = new Wire();
    wire.agree([{ ...opus, payloadType: 96 }], 97, 48_000);
    for (let i = 0; i < 3; i++) wire.send(96, 70, 960);
    wire.agree([{ ...opus, payloadType: 97 }], 96, 48_000);
    assert.equal(wire.send(96, 70, 960), 'OPUS');
    assert.equal(wire.send(97, 4, 0, 5), 'events');
    assert.equal(wire.send(97, 70, 960), 'OPUS');
    assert.equal(wire.send(96, 4, 0, 5), 'events');
  });
});
