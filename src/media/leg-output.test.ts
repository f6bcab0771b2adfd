import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { decodeUlaw, encodeUlaw } from '../codec/g711.ts';
import { RtpPacketView, RtpParser } from '../rtp/packet.ts';
import type { TransportPort } from '../rtp/transport.ts';
import type { LegNegotiate, WorkerEvent } from './control.ts';
import { LegOutput } from './leg-output.ts';
import { SourceLatch } from './source-latch.ts';

const pcmu = { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 } as const;
const agreement: LegNegotiate = {
  verb: 'leg.negotiate',
  legId: 'a',
  remote: undefined,
  receive: [pcmu],
  send: pcmu,
  ptimeMs: 20,
  telephoneEvent: { payloadType: 101, clockRateHz: 8000 },
  direction: 'sendrecv',
};

describe('LegOutput', () => {
  let latch: SourceLatch;
  let output: LegOutput;
  let sent: RtpPacketView[];
  let events: WorkerEvent[];

  beforeEach(() => {
    sent = [];
    events = [];
    let reserved = new Uint8Array(0);
    const port: TransportPort = {
      port: 4000,
      reserve: (bytes) => (reserved = new Uint8Array(bytes)),
      commit: () => {
        const packet = new RtpPacketView();
        assert.ok(new RtpParser().parse(reserved, packet));
        sent.push(packet);
      },
      close: () => undefined,
    };
    latch = new SourceLatch();
    latch.signal({ address: '192.0.2.1', port: 5000 });
    output = new LegOutput('a', latch, { atUs: 0 }, (event) => events.push(event));
    output.attach(port);
    output.negotiate(agreement);
  });

  const play = (value: number, samples: number, overRoom?: 'mix' | 'replace') => {
    const command = { legId: 'a', playId: `${value}`, rateHz: 8000, overRoom } as const;
    output.player.start({ verb: 'play.start', ...command, samples: new Int16Array(samples).fill(value) });
  };
  /** A slot as a room sends it. @returns the samples the leg got, or what else it was sent */
  const roomSlot = (value: number): number | string => {
    const before = sent.length;
    if (output.beginSlot() !== undefined) output.sendSamples(new Int16Array(160).fill(value));
    const [packet] = sent.slice(before);
    if (!packet) return 'nothing';
    if (packet.payloadType === 101) return 'key';
    const samples = new Int16Array(160);
    decodeUlaw(packet.payload(), samples);
    assert.ok(samples.every((sample) => sample === samples[0]));
    return samples[0]!;
  };
  const coded = (value: number): number => {
    const code = new Uint8Array(1);
    const sample = new Int16Array(1);
    encodeUlaw(Int16Array.of(value), code);
    decodeUlaw(code, sample);
    return sample[0]!;
  };

  it('gives a slot to a key, then to a prompt in place of the room, then to the room below a prompt', () => {
    const press = { legId: 'a', digitsId: 'd', digits: '1', durationMs: 40, gapMs: 20 };
    assert.equal(roomSlot(500), coded(500));
    play(2000, 320, 'replace');
    play(3000, 160);
    output.digits.send({ verb: 'digits.send', ...press });
    assert.deepEqual(
      Array.from({ length: 6 }, () => roomSlot(500)),
      ['key', 'key', coded(2000), coded(2000), coded(3500), coded(500)],
    );
  });

  it('does not let a prompt and the room overflow together', () => {
    play(30_000, 160);
    play(-30_000, 160);
    assert.equal(roomSlot(20_000), coded(32_767));
    assert.equal(roomSlot(-20_000), coded(-32_768));
  });

  it('sends nothing on hold and while it knows nowhere to send, and ends nothing before its time', () => {
    play(1000, 480);
    latch.signal(undefined);
    assert.equal(roomSlot(1), 'nothing');
    latch.signal({ address: '192.0.2.1', port: 5000 });
    output.negotiate({ ...agreement, direction: 'recvonly' });
    assert.equal(roomSlot(1), 'nothing');
    assert.deepEqual(events, []);
    output.negotiate(agreement);
    assert.equal(roomSlot(0), coded(1000));
    assert.deepEqual(events, [
      { event: 'play.ended', legId: 'a', playId: '1000', reason: 'finished', playedMs: 20 },
    ]);
    assert.equal(sent[0]!.marker, true);
  });

  it('takes part in nothing once it is closed', () => {
    play(1000, 480);
    output.close();
    assert.equal(roomSlot(1), 'nothing');
    output.sendAlone();
    const packet = { ...new RtpPacketView(), rtpTime: sent[0]?.timestamp ?? new RtpPacketView().timestamp };
    assert.equal(output.relay({ ...packet, payload: new Uint8Array(160) }, pcmu), false);
    assert.equal(sent.length, 0);
    assert.equal(events.length, 1);
  });
});
