import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { isRtcp, maxRtcpBytes, type ReportBlock, readRtcp, writeRtcp } from '../../src/rtp/rtcp.ts';
import { bodyText } from '../../src/sip/message.ts';
import { noise } from '../../src/testkit/noise.ts';
import { PhoneSrtcp } from '../../src/testkit/phone-srtcp.ts';
import { PhoneSrtp } from '../../src/testkit/phone-srtp.ts';
import { eventually } from './eventually.ts';
import { HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { HttpClient, type Page } from './http-client.ts';
import { Scene } from './scene.ts';

const suite = 'AES_CM_128_HMAC_SHA1_80';
const ssrc = 0x5eed_0001;
const ntp = { ntpSeconds: 0xe000_1234, ntpFraction: 0x5678_0000 };

const scene = await Scene.open();
const http = new HttpClient(scene.server.callreel);
after(() => scene[Symbol.asyncDispose]());

interface Report {
  block: ReportBlock | undefined;
  senderSsrc: number | undefined;
  ntpMiddle: number;
  bye: boolean;
  fromPort: number;
}

function readReport(data: Uint8Array, fromPort: number): Report {
  const report: Report = { block: undefined, senderSsrc: undefined, ntpMiddle: 0, bye: false, fromPort };
  const valid = readRtcp(data, {
    senderReport: (sender, { ntpSeconds, ntpFraction }) => {
      report.senderSsrc = sender;
      report.ntpMiddle = (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0;
    },
    reportBlock: (_from, block) => (report.block = block),
    bye: () => (report.bye = true),
  });
  assert.ok(valid, 'no RTCP');
  return report;
}

/** Two sockets, the second one port above the first. */
async function portPair(): Promise<[stream: HandStream, rtcp: Socket]> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const stream = await HandStream.open('PCMU', ssrc);
    const rtcp = createSocket('udp4');
    const bound = await new Promise<boolean>((resolve) => {
      rtcp.once('error', () => resolve(false));
      rtcp.bind(stream.socket.port + 1, '127.0.0.1', () => resolve(true));
    });
    if (bound) return [stream, rtcp];
    stream.socket.close();
    rtcp.close();
  }
  throw new Error('no two ports in a row');
}

/** A port of RTCP anywhere, that only `a=rtcp` tells. */
async function separatePorts(): Promise<[stream: HandStream, rtcp: Socket]> {
  const rtcp = createSocket('udp4');
  rtcp.bind(0, '127.0.0.1');
  await once(rtcp, 'listening');
  return [await HandStream.open('PCMU', ssrc), rtcp];
}

interface CallFigures {
  end_time: string | null;
  legs: {
    media: {
      report: {
        received: { packets: number; srtp: Record<string, number> | null };
        sent: { peer: { lost: number } | null };
        round_trip_ms: object | null;
      } | null;
    };
  }[];
}

async function figures() {
  return eventually('the figures of the call', async () => {
    const path = `/v1/calls?from=${encodeURIComponent(handPhoneName)}&limit=1`;
    const { results } = (await http.get<Page<{ call_id: string }>>(path)).body;
    const { body } = await http.get<CallFigures>(`/v1/calls/${results[0]?.call_id}`);
    return body.end_time === null ? undefined : (body.legs[0]?.media.report ?? undefined);
  });
}

for (const [name, secure, open] of [
  ['RTP on one port, RTCP on the next', false, portPair],
  ['SRTP on one port, SRTCP where a=rtcp says', true, separatePorts],
] as const)
  test(`a peer without rtcp-mux: ${name}, both ways`, async () => {
    scene.audience.routineFor(handPhoneName, [scene.join(`rtcp-${secure}`, { do_record: true })]);
    const [stream, rtcp] = await open();
    const rtpPort = stream.socket.port;
    const rtcpPort = rtcp.address().port;
    const ownKey = randomBytes(30).toString('base64');
    const body = [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${rtpPort} ${secure ? 'RTP/SAVP' : 'RTP/AVP'} 0`,
      ...(rtcpPort === rtpPort + 1 ? [] : [`a=rtcp:${rtcpPort} IN IP4 127.0.0.1`]),
      ...(secure ? [`a=crypto:1 ${suite} inline:${ownKey}`] : []),
      '',
    ].join('\r\n');
    const phone = await HandPhone.open(scene);
    const ok = await phone.request('INVITE', { body });
    assert.equal(ok.status, 200);
    phone.acknowledge();
    const answer = bodyText(ok);
    assert.doesNotMatch(answer, /rtcp-mux/);
    const port = Number(/m=audio (\d+)/.exec(answer)?.[1]);
    const peerKey = /inline:([^|\s]+)/.exec(answer)?.[1] ?? '';
    const srtcp = secure ? new PhoneSrtcp(ownKey, peerKey) : undefined;
    stream.socket.remote = { address: '127.0.0.1', port };
    if (secure) stream.socket.srtp = new PhoneSrtp(suite, ownKey, peerKey);

    const reports: Report[] = [];
    let unopened = 0;
    const onRtpPort: number[] = [];
    stream.socket.onDatagram((data) => {
      if (isRtcp(data)) onRtpPort.push(data[1]!);
    });
    rtcp.on('message', (data, { port: fromPort }) => {
      const plain = srtcp ? srtcp.open(data) : data;
      if (plain) reports.push(readReport(new Uint8Array(plain), fromPort));
      else unopened++;
    });
    const talking = stream.play(noise({ samples: 8000 * 4, seed: 1 }));
    const first = await eventually('a report of ours', () => reports[0]);
    assert.equal(first.fromPort, port + 1);
    assert.equal(first.block?.ssrc, ssrc);
    assert.ok(first.senderSsrc !== undefined, 'a sender report');

    if (secure) {
      stream.socket.sendRaw(Buffer.concat([Buffer.from([0x80, 0]), randomBytes(180)]));
      stream.socket.sendRaw(Buffer.from([0x80, 0, 1]));
    }
    const block = {
      ssrc: first.senderSsrc,
      fractionLost: 0,
      cumulativeLost: 3,
      highestSequence: 1,
      jitter: 8,
      lastSenderReport: first.ntpMiddle,
      delaySinceSenderReport: 0,
    };
    const out = new Uint8Array(maxRtcpBytes);
    const sender = { ...ntp, rtpTime: 1000, packetCount: 1, octetCount: 160 };
    const bytes = writeRtcp(out, { ssrc, sender, block, cname: 'phone', bye: false });
    const own = out.slice(0, bytes);
    const datagram = srtcp ? srtcp.seal(own) : own;
    rtcp.send(datagram, port + 1, '127.0.0.1');
    if (secure) rtcp.send(datagram, port + 1, '127.0.0.1');
    await talking;

    await phone.hangUp();
    const bye = await eventually('the end of our reports', () =>
      Promise.resolve(reports.find((report) => report.bye)),
    );
    assert.equal(bye.block?.lastSenderReport, 0x1234_5678, 'the report of the phone was heard');
    const report = await figures();
    assert.equal(report.sent.peer?.lost, 3);
    assert.ok(report.round_trip_ms);
    const refused = { authentication_failures: 1, replays: 1, malformed: 1 };
    assert.deepEqual(report.received.srtp, secure ? refused : null);
    assert.equal(report.received.packets, 200);
    assert.equal(unopened, 0);
    assert.deepEqual(onRtpPort, []);
    rtcp.close();
    stream.socket.close();
  });
