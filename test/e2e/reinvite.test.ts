import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { bodyText, type SipResponse } from '../../src/sip/message.ts';
import { tagOf } from '../../src/sip/name-address.ts';
import { RawPeer } from '../../src/sip/test-peers.ts';
import { lineCodecs, packetPayloads, packetSamples, ptimeMs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { readPhoneSdp, writePhoneSdp } from '../../src/testkit/phone-sdp.ts';
import { RtpSocket } from '../../src/testkit/rtp-socket.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { samplesOf } from './channel-audio.ts';
import { calledNumber, Scene } from './scene.ts';

/** A phone that moves its media to another port in mid-call and speaks from there as soon as it may. */
const moves = 5;
const packetsBetweenMoves = 10;
const codec = lineCodecs.PCMU;
/** As the server calls RawPeer: its user part is no number. */
const caller = 'sip:caller@127.0.0.1';

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

test('not one packet is lost when the phone moves to another port by a re-INVITE', async () => {
  scene.audience.routineFor(caller, [scene.join('moving', { do_record: true })]);
  const uri = scene.server.sipUri(calledNumber);
  const peer = await RawPeer.open(Number(uri.split(':').at(-1)));
  const said = noise({ samples: (moves + 1) * packetsBetweenMoves * packetSamples, seed: 3 });
  const payloads = packetPayloads(codec, said);
  let toTag: string | undefined;
  let sent = 0;
  for (let version = 1; version <= moves + 1; version++) {
    const rtp = await RtpSocket.open('127.0.0.1', systemClock);
    peer.request('INVITE', { uri, toTag, sequence: version, body: offerFrom(rtp.port, version) });
    const answer = await answerOf(peer);
    toTag = tagOf(answer.to);
    rtp.remote = readPhoneSdp(bodyText(answer));
    peer.request('ACK', { uri, toTag, sequence: version, branch: `z9hG4bK-ack-${version}` });
    for (const end = sent + packetsBetweenMoves; sent < end; sent++) {
      rtp.send(packet(payloads[sent]!, sent));
      await sleep(systemClock, ptimeMs);
    }
    rtp.close();
  }
  peer.request('BYE', { uri, toTag, sequence: moves + 2 });
  assert.equal((await peer.response('BYE')).status, 200);
  peer.close();

  const { channels } = await scene.endedConversation({ conference_name: 'moving' });
  assert.deepEqual(
    channels.map(({ from }) => from),
    [caller],
  );
  // While it waited for an answer its RTP clock stood still: that is silence, if it was long.
  let rest = await samplesOf(channels[0]!.audio);
  for (let first = 0; first < payloads.length; first += packetsBetweenMoves) {
    const part = codec.decode(Buffer.concat(payloads.slice(first, first + packetsBetweenMoves)));
    const start = assertExactRun(rest, part, { label: `${caller} from packet ${first}` });
    assert.ok(rest.subarray(0, start).every((sample) => sample === 0));
    rest = rest.subarray(start + part.length);
  }
  assert.ok(rest.every((sample) => sample === 0));
});

async function answerOf(peer: RawPeer): Promise<SipResponse> {
  const answer = await peer.response('INVITE');
  assert.equal(answer.status, 200);
  return answer;
}

function offerFrom(port: number, version: number): string {
  const address = '127.0.0.1';
  return writePhoneSdp(
    { address, port, codecs: [codec.name], telephoneEventPayloadType: undefined, direction: 'sendrecv' },
    1,
    version,
  );
}

function packet(payload: Uint8Array, index: number) {
  return {
    payload,
    ssrc: 7,
    sequenceNumber: 100 + index,
    rtpTime: 1000 + index * packetSamples,
    payloadType: codec.payloadType,
    marker: index === 0,
    durationSamples: packetSamples,
  };
}
