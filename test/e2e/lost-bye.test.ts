import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { sleep, systemClock } from '../../src/clock.ts';
import { bodyText, type SipRequest } from '../../src/sip/message.ts';
import { tagOf } from '../../src/sip/name-address.ts';
import { RawPeer } from '../../src/sip/test-peers.ts';
import { lineCodecs, packetPayloads, packetSamples, ptimeMs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { readPhoneSdp, writePhoneSdp } from '../../src/testkit/phone-sdp.ts';
import { RtpSocket } from '../../src/testkit/rtp-socket.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { samplesOf } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import { calledNumber, Scene } from './scene.ts';

/** Peers whose BYE never came: media stops, and nobody says why. */
const inactivityMs = 400;
const codec = lineCodecs.PCMU;

const scene = await Scene.open({
  settings: { CALLREEL_RTP_INACTIVITY_TIMEOUT_MS: String(inactivityMs) },
});
const http = new HttpClient(scene.server.callreel);
after(() => scene[Symbol.asyncDispose]());

interface Lost {
  peer: RawPeer;
  /** Of OPTIONS inside the dialog. */
  question: SipRequest;
  said: Int16Array;
}

/** A peer that calls, says something or nothing, and is gone: it knows nothing of the call any more. */
async function vanish(conference: string, packets: number): Promise<Lost> {
  const callId = `lost-${conference}`;
  scene.audience.routineFor('sip:caller@127.0.0.1', [scene.join(conference, { do_record: true })]);
  const uri = scene.server.sipUri(calledNumber);
  const peer = await RawPeer.open(Number(uri.split(':').at(-1)));
  const rtp = await RtpSocket.open('127.0.0.1', systemClock);
  const body = writePhoneSdp(
    {
      address: '127.0.0.1',
      port: rtp.port,
      codecs: ['PCMU'],
      telephoneEventPayloadType: undefined,
      direction: 'sendrecv',
    },
    1,
    1,
  );
  peer.request('INVITE', { uri, callId, body });
  const answer = await peer.response('INVITE');
  assert.equal(answer.status, 200);
  peer.request('ACK', { uri, callId, toTag: tagOf(answer.to), branch: 'z9hG4bK-ack' });
  rtp.remote = readPhoneSdp(bodyText(answer));
  const said = noise({ samples: packets * packetSamples, seed: 41 });
  const payloads = packetPayloads(codec, said);
  for (const [index, payload] of payloads.entries()) {
    rtp.send({
      payload,
      ssrc: 7,
      sequenceNumber: 100 + index,
      rtpTime: 1000 + index * packetSamples,
      payloadType: codec.payloadType,
      marker: index === 0,
      durationSamples: packetSamples,
    });
    await sleep(systemClock, ptimeMs);
  }
  const question = await peer.incoming('OPTIONS');
  rtp.close();
  return { peer, question, said };
}

/** The headers of a response are those of its request (RFC 3261 section 8.2.6.2). */
function answerTo(peer: RawPeer, request: SipRequest, status: string): void {
  const copied = ['via', 'from', 'to', 'call-id', 'cseq'];
  const lines = request.headers.filter(({ key }) => copied.includes(key));
  const head = [`SIP/2.0 ${status}`, ...lines.map(({ name, value }) => `${name}: ${value}`)];
  peer.send([...head, 'Content-Length: 0', '', ''].join('\r\n'));
}

async function endReason(callId: string): Promise<string> {
  return eventually(`the end of ${callId}`, async () => {
    const { body } = await http.get<{ results: { sip_call_id: string; end_reason: string | null }[] }>(
      '/v1/connections',
    );
    return body.results.find(({ sip_call_id }) => sip_call_id === callId)?.end_reason ?? undefined;
  });
}

suite('a BYE that was lost', () => {
  test('a peer that stopped sending and knows nothing of the call: it ends, its recording is kept', async () => {
    const { peer, question, said } = await vanish('stopped', 25);
    answerTo(peer, question, '481 Call/Transaction Does Not Exist');
    assert.equal(await endReason('lost-stopped'), 'media-lost');
    const { mixed_audio } = await scene.endedConversation({ conference_name: 'stopped' });
    assertExactRun(await samplesOf(mixed_audio!), codec.decode(Buffer.concat(packetPayloads(codec, said))));
    peer.close();
  });

  test('a peer that never sent anything', async () => {
    const { peer, question } = await vanish('never', 0);
    answerTo(peer, question, '481 Call/Transaction Does Not Exist');
    assert.equal(await endReason('lost-never'), 'media-lost');
    await scene.audience.ended({ conference_name: 'never' });
    peer.close();
  });

  test('a peer that answers is asked again, and its call goes on', async () => {
    const { peer, question } = await vanish('quiet', 5);
    answerTo(peer, question, '200 OK');
    const again = await peer.received.until(
      (message) =>
        message.kind === 'request' &&
        message.method === 'OPTIONS' &&
        message.cseq.sequence > question.cseq.sequence,
    );
    answerTo(peer, again as SipRequest, '481 Call/Transaction Does Not Exist');
    assert.equal(await endReason('lost-quiet'), 'media-lost');
    peer.close();
  });

  test('a silent phone that is there keeps its call', async () => {
    const ann = await scene.call([scene.join('patient')]);
    await setTimeout(3 * inactivityMs);
    assert.equal(ann.session.state, 'established');
    assert.equal((await ann.hangUp()).cause, 'local');
  });
});
