import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RtpPacketView, RtpParser, rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { SrtpContext } from '../rtp/srtp-context.ts';
import { maxSrtpOverheadBytes } from '../rtp/srtp-limits.ts';
import type { NegotiatedSrtp, SrtpKey } from '../sdp/srtp-parameters.ts';
import { formerKeysUs, formerPlainUs, PacketProtection } from './packet-protection.ts';

const suite = 'AES_CM_128_HMAC_SHA1_80';
const key = (fill: number): SrtpKey => ({ keySalt: Buffer.alloc(30, fill).toString('base64') });
const agreed = (send: number, receive: number): NegotiatedSrtp => ({
  send: { suite, key: key(send) },
  receive: { suite, keys: [key(receive)] },
});

/** A leg, and a peer that sends to it in whatever form. */
class Wire {
  readonly leg = new PacketProtection();
  nowUs = 1_000_000;
  sourcePort = 40_000;
  ssrc = 7;
  sequenceNumber = 65_533;
  payloadType = 0;

  packet(payloadBytes = 160): Uint8Array {
    const data = new Uint8Array(rtpHeaderBytes + payloadBytes).fill(0x55);
    const { ssrc, payloadType } = this;
    const sequenceNumber = this.sequenceNumber++ & 0xffff;
    writeRtpHeader(data, { marker: false, payloadType, sequenceNumber, timestamp: 0, ssrc });
    return data;
  }

  sealed(peer: SrtpContext, payloadBytes?: number): Uint8Array {
    const plain = this.packet(payloadBytes);
    const room = new Uint8Array(plain.length + maxSrtpOverheadBytes);
    room.set(plain);
    return room.slice(0, peer.protectRtp(room, plain.length));
  }

  /** @returns bytes of the payload, undefined for a packet that was dropped */
  receive(data: Uint8Array): number | undefined {
    const { nowUs: arrivalUs, sourcePort } = this;
    const datagram = { data: data.slice(), arrivalUs, sourceAddress: '192.0.2.1', sourcePort };
    const opened = this.leg.open(datagram);
    const view = new RtpPacketView();
    if (!opened || !new RtpParser().parse(opened, view)) return undefined;
    if (view.payloadBytes > 4) this.leg.tookAudio(datagram, view);
    return view.payloadBytes;
  }

  plain = (payloadBytes?: number) => this.receive(this.packet(payloadBytes));
}

describe('From RTP to SRTP', () => {
  const changed = (): { wire: Wire; peer: SrtpContext } => {
    const wire = new Wire();
    wire.leg.agree(undefined, wire.nowUs);
    assert.equal(wire.plain(), 160);
    assert.equal(wire.leg.agree(agreed(1, 2), wire.nowUs), true);
    return { wire, peer: new SrtpContext(agreed(2, 1)) };
  };

  it('takes what goes on with the plain stream until the first authentic packet, and nothing behind it', () => {
    const { wire, peer } = changed();
    assert.equal(wire.plain(), 160);
    wire.payloadType = 101;
    assert.equal(wire.plain(4), 4, 'a key press');
    wire.payloadType = 0;
    assert.equal(wire.plain(), 160);
    assert.deepEqual(wire.leg.counters, { authenticationFailures: 0, replays: 0, malformed: 0 });
    assert.equal(wire.receive(wire.sealed(peer)), 160);
    assert.equal(wire.plain(), undefined);
    assert.equal(wire.leg.counters?.authenticationFailures, 1);
    wire.leg.agree(agreed(1, 2), wire.nowUs);
    assert.equal(wire.plain(), undefined, 'nor after a refresh');
  });

  it('takes no plain packet of another source, of another stream, of another length, or too late', () => {
    for (const spoil of [
      (wire: Wire) => wire.sourcePort++,
      (wire: Wire) => wire.ssrc++,
      (wire: Wire) => (wire.sequenceNumber += 5000),
      (wire: Wire) => (wire.nowUs += formerPlainUs + 1),
    ]) {
      const { wire } = changed();
      spoil(wire);
      assert.equal(wire.plain(), undefined);
    }
    const { wire } = changed();
    assert.equal(wire.receive(wire.sealed(new SrtpContext(agreed(9, 9)))), undefined, 'sealed by other keys');
    wire.payloadType = 101;
    assert.equal(wire.receive(wire.sealed(new SrtpContext(agreed(9, 9)), 4)), undefined);
  });

  it('takes plain packets of any length where those before had differing ones', () => {
    const wire = new Wire();
    wire.leg.agree(undefined, wire.nowUs);
    wire.plain(70);
    wire.plain(80);
    wire.leg.agree(agreed(1, 2), wire.nowUs);
    assert.equal(wire.plain(75), 75);
  });

  it('takes nothing plain where SRTP was agreed from the beginning', () => {
    const wire = new Wire();
    wire.leg.agree(agreed(1, 2), wire.nowUs);
    assert.equal(wire.plain(), undefined);
    wire.leg.agree(agreed(3, 4), wire.nowUs);
    assert.equal(wire.plain(), undefined);
  });
});

describe('From SRTP to RTP', () => {
  it('takes what is authentic under the former keys until a while after the first plain packet', () => {
    const wire = new Wire();
    wire.leg.agree(agreed(1, 2), wire.nowUs);
    const peer = new SrtpContext(agreed(2, 1));
    const first = wire.sealed(peer);
    assert.equal(wire.receive(first), 160);
    assert.equal(wire.leg.agree(undefined, wire.nowUs), false);
    assert.equal(wire.leg.context, undefined);
    wire.nowUs += 10 * formerKeysUs;
    assert.equal(wire.receive(wire.sealed(peer)), 160);
    assert.equal(wire.receive(first), undefined, 'a replay is no plain packet');
    const late = wire.sealed(peer);
    assert.equal(wire.plain(), 160);
    assert.equal(wire.receive(late), 160);
    wire.nowUs += formerKeysUs + 1;
    assert.equal(wire.receive(wire.sealed(peer)), 170, 'as any plain packet');
    assert.equal(wire.leg.counters?.authenticationFailures, 0);
  });

  it('goes back to the same keys without beginning them again', () => {
    const wire = new Wire();
    wire.leg.agree(agreed(1, 2), wire.nowUs);
    const peer = new SrtpContext(agreed(2, 1));
    const first = wire.sealed(peer);
    wire.receive(first);
    wire.leg.agree(undefined, wire.nowUs);
    wire.plain();
    assert.equal(wire.leg.agree(agreed(1, 2), wire.nowUs), true, 'our stream gets another SSRC');
    assert.equal(wire.receive(wire.sealed(peer)), 160);
    assert.equal(wire.receive(first), undefined);
    assert.equal(wire.leg.counters?.replays, 1);
  });

  it('opens RTCP of the former keys, and leaves plain RTCP as it is', () => {
    const wire = new Wire();
    wire.leg.agree(agreed(1, 2), wire.nowUs);
    const peer = new SrtpContext(agreed(2, 1));
    wire.leg.agree(undefined, wire.nowUs);
    const report = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 7);
    const room = new Uint8Array(report.length + maxSrtpOverheadBytes);
    room.set(report);
    const sealed = room.slice(0, peer.protectRtcp(room, report.length));
    assert.ok(sealed.length > report.length);
    assert.deepEqual(wire.leg.openFormerRtcp(sealed, wire.nowUs), report);
    assert.deepEqual(wire.leg.openFormerRtcp(report.slice(), wire.nowUs), report);
  });
});
