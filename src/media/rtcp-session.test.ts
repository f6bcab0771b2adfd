import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isRtcp, maxRtcpBytes, type ReportBlock, readRtcp, type SenderInfo, writeRtcp } from '../rtp/rtcp.ts';
import type { LegReport } from './control.ts';
import { MediaBench } from './test-bench.ts';
import { type TestPhone, turnEventLoop } from './test-phone.ts';
import { speech } from './test-stream.ts';

interface Heard {
  sender: SenderInfo | undefined;
  block: ReportBlock | undefined;
  bye: boolean;
  fromPort: number;
}

/** The RTCP side of a phone: a socket of its own, or the one that RTP uses. */
class RtcpEar {
  readonly heard: Heard[] = [];

  constructor(socket: Socket) {
    socket.on('message', (data, { port }) => {
      if (!isRtcp(data)) return;
      const heard: Heard = { sender: undefined, block: undefined, bye: false, fromPort: port };
      assert.ok(
        readRtcp(new Uint8Array(data), {
          senderReport: (_ssrc, info) => (heard.sender = info),
          reportBlock: (_ssrc, block) => (heard.block = block),
          bye: () => (heard.bye = true),
        }),
      );
      this.heard.push(heard);
    });
  }
}

function senderReport(phone: TestPhone, about?: ReportBlock): Uint8Array {
  const out = new Uint8Array(maxRtcpBytes);
  const sender = {
    ntpSeconds: 0xe000_1234,
    ntpFraction: 0x5678_0000,
    rtpTime: phone.timestamp,
    packetCount: 1,
    octetCount: 160,
  };
  return out.slice(0, writeRtcp(out, { ssrc: phone.ssrc, sender, block: about, cname: 'phone', bye: false }));
}

describe('RTCP of a leg', () => {
  let bench: MediaBench;
  let rtcp: Socket;
  beforeEach(async () => {
    bench = new MediaBench();
    rtcp = createSocket('udp4');
    rtcp.bind(0, '127.0.0.1');
    await once(rtcp, 'listening');
  });
  afterEach(async () => {
    rtcp.close();
    await bench.close();
  });

  /** In parts, so that everything sent is read. */
  async function pass(slots: number): Promise<void> {
    for (let n = 0; n < slots; n += 20) await bench.slots(20);
  }

  const legReport = (): LegReport | undefined =>
    bench.events.flatMap((event) => (event.event === 'leg.report' && !event.stay ? [event.report] : []))[0];

  async function callWithOwnPort(): Promise<{ phone: TestPhone; ear: RtcpEar }> {
    const remote = { address: '127.0.0.1', port: rtcp.address().port };
    const phone = await bench.call('a', { rtcp: { mux: false, remote } });
    await turnEventLoop();
    await turnEventLoop();
    await bench.join('a', 'room');
    return { phone, ear: new RtcpEar(rtcp) };
  }

  it('reports every five seconds or so what it sent and got, from the port above, and leaves with a BYE', async () => {
    const { phone, ear } = await callWithOwnPort();
    assert.equal(phone.remotePort % 2, 0);
    for (let n = 0; n < 1000; n++) {
      if (n % 10 !== 3) await phone.send({ payload: speech(1, n) });
      else phone.sequenceNumber = (phone.sequenceNumber + 1) & 0xffff;
      if (n % 10 === 3) phone.timestamp = (phone.timestamp + 160) >>> 0;
      await bench.slots(1);
    }
    assert.ok(ear.heard.length >= 2 && ear.heard.length <= 10, `${ear.heard.length} reports in 20 s`);
    const last = ear.heard.at(-1)!;
    assert.equal(last.fromPort, phone.remotePort + 1);
    assert.equal(last.block!.ssrc, phone.ssrc);
    assert.ok(Math.abs(last.block!.fractionLost - 25) <= 2, `${last.block!.fractionLost}`);
    assert.equal(last.sender!.octetCount, last.sender!.packetCount * 160);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.slots(1);
    assert.equal(ear.heard.at(-1)!.bye, true);
    const report = legReport()!;
    assert.equal(report.received.packets, 900);
    assert.equal(report.received.lost, 99 + 1);
    assert.deepEqual(
      report.received.codecs.map(({ codec }) => codec),
      ['PCMU'],
    );
  });

  it('keeps to the port agreed where the peer sends its reports to the port of RTP', async () => {
    const { phone, ear } = await callWithOwnPort();
    await phone.send({ payload: speech(1, 0) });
    await phone.sendRaw(senderReport(phone));
    await pass(500);
    assert.equal(bench.capture.senderReports.length, 1, 'heard all the same');
    assert.ok(ear.heard.length > 0);
  });

  it('shares the port of RTP where that was agreed', async () => {
    const phone = await bench.call('a', { rtcp: { mux: true } });
    const ear = new RtcpEar(phone.socket);
    await bench.join('a', 'room');
    await phone.send({ payload: speech(1, 0) });
    await pass(500);
    assert.ok(ear.heard.length > 0);
    assert.equal(ear.heard[0]!.fromPort, phone.remotePort);
    await phone.sendRaw(senderReport(phone));
    await bench.slots(1);
    assert.equal(bench.capture.senderReports.length, 1);
    assert.equal(bench.capture.senderReports[0]!.ntpFraction, 0x5678_0000);
  });

  it('answers sender reports, measures the round trip by the answers to its own, and keeps them for the recording', async () => {
    const { phone, ear } = await callWithOwnPort();
    const send = async (data: Uint8Array): Promise<void> => {
      await new Promise((resolve) => rtcp.send(data, phone.remotePort + 1, '127.0.0.1', resolve));
      await turnEventLoop();
    };
    await phone.send({ payload: speech(1, 0) });
    await bench.slots(1);
    await send(senderReport(phone));
    await pass(500);
    const answered = ear.heard.find(({ block }) => block?.lastSenderReport === 0x1234_5678);
    assert.ok(answered);
    const { ntpSeconds, ntpFraction } = ear.heard.at(-1)!.sender!;
    const ssrc = phone.received[0]!.ssrc;
    const lastSenderReport = (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0;
    const before = bench.clock.monotonicUs();
    await bench.slots(5);
    const figures = { fractionLost: 0, cumulativeLost: 7, highestSequence: 0, jitter: 80 };
    await send(senderReport(phone, { ssrc, ...figures, lastSenderReport, delaySinceSenderReport: 0 }));
    await bench.slots(1);
    assert.equal(bench.capture.senderReports.length, 2);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    const { roundTripMs, sent } = legReport()!;
    assert.deepEqual(sent.peer, { lost: 7, jitterMs: 10 });
    assert.ok(roundTripMs!.latest >= 100 && roundTripMs!.latest < 7600, `${roundTripMs!.latest}`);
    assert.ok(before > 0);
  });

  it('believes no stranger, and is silent where no RTCP was agreed', async () => {
    const { phone } = await callWithOwnPort();
    await phone.send({ payload: speech(1, 0) });
    await bench.slots(1);
    const session = bench.executor.legs.get('a');
    const arrivalUs = bench.clock.monotonicUs();
    session.receiveRtcp({ data: senderReport(phone), arrivalUs, sourceAddress: '192.0.2.9', sourcePort: 9 });
    assert.equal(bench.capture.senderReports.length, 0);
    const plain = await bench.call('b');
    const ear = new RtcpEar(plain.socket);
    await pass(800);
    assert.deepEqual(ear.heard, []);
  });

  it('counts as a sign of life', async () => {
    const remote = { address: '127.0.0.1', port: rtcp.address().port };
    const phone = await bench.call('a', { rtcp: { mux: true, remote }, inactivityTimeoutMs: 1000 });
    await phone.send({ payload: speech(1, 0) });
    await bench.slots(40);
    await phone.sendRaw(senderReport(phone));
    await bench.slots(40);
    assert.ok(!bench.events.some(({ event }) => event === 'leg.inactive'));
    await bench.slots(20);
    assert.ok(bench.events.some(({ event }) => event === 'leg.inactive'));
  });
});
