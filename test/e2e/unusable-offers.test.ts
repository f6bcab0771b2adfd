import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createLogger } from '../../src/logger.ts';
import { headerValue, type SipMessage, type SipResponse } from '../../src/sip/message.ts';
import { tagOf } from '../../src/sip/name-address.ts';
import { RawPeer, requestText } from '../../src/sip/test-peers.ts';
import { DirectoryRows } from './directory-rows.ts';
import { eventually } from './eventually.ts';
import { calledNumber, Scene } from './scene.ts';

/** INVITEs whose session descriptions are good for nothing cost a stranger something, and us next to nothing. */
const lines: string[] = [];
const log = createLogger('info', { write: (line: string) => lines.push(line) });
const scene = await Scene.open({ log });
const uri = scene.server.sipUri(calledNumber);
const stranger = await RawPeer.open(Number(uri.split(':').at(-1)));
after(async () => {
  stranger.close();
  await scene[Symbol.asyncDispose]();
});

function offerOf(...media: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...media, ''].join('\r\n');
}

/** RFC 3261 section 21.4.1: what is no session description; 21.4.26: what is one and of no use, with a Warning. */
const offers: { what: string; offer: string; status: number; warning: RegExp }[] = [
  {
    what: 'no description at all',
    offer: 'hello',
    status: 400,
    warning: /^399 callreel "session description: /,
  },
  { what: 'a port that is none', offer: offerOf('m=audio 70000 RTP/AVP 0'), status: 400, warning: /^399 / },
  {
    what: 'no codec of ours',
    offer: offerOf('m=audio 40000 RTP/AVP 18 96', 'a=rtpmap:96 AMR/8000'),
    status: 488,
    warning: /^305 callreel ".*codec/,
  },
  {
    what: 'no audio',
    offer: offerOf('m=text 40000 RTP/AVP 0'),
    status: 488,
    warning: /^304 callreel ".*audio/,
  },
  {
    what: 'keys by DTLS only',
    offer: offerOf('m=audio 40000 UDP/TLS/RTP/SAVPF 0', 'a=fingerprint:sha-256 AA:BB'),
    status: 488,
    warning: /^302 callreel ".*DTLS/,
  },
];
function isFinal(message: SipMessage): boolean {
  return message.kind === 'response' && message.status >= 200;
}

function acknowledge({ callId, to }: SipResponse): void {
  const branch = `z9hG4bK-INVITE-1-${callId}`;
  stranger.send(requestText('ACK', stranger.port, { uri, callId, toTag: tagOf(to), branch }));
}

for (const { what, offer, status, warning } of offers)
  test(`an offer with ${what}: ${status}, and why`, async () => {
    stranger.request('INVITE', { uri, callId: what.replaceAll(' ', '-'), body: offer });
    const response = await stranger.response('INVITE');
    acknowledge(response);
    assert.equal(response.status, status);
    assert.match(headerValue(response, 'warning') ?? '', warning);
  });

test('a thousand of them: a few lines in the log, no row, no callback', async () => {
  const before = lines.length;
  const statuses = new Map<string, number>();
  for (let round = 0; round < 50; round++) {
    const asked = Array.from({ length: 20 }, (_, index) => `flood-${round}-${index}`);
    for (const [index, callId] of asked.entries())
      stranger.request('INVITE', { uri, callId, body: offers[index % offers.length]!.offer });
    while (asked.some((callId) => !statuses.has(callId))) {
      const response = (await stranger.received.until(isFinal)) as SipResponse;
      statuses.set(response.callId, response.status);
      acknowledge(response);
    }
  }
  const flood = [...statuses].filter(([callId]) => callId.startsWith('flood')).map(([, status]) => status);
  assert.equal(flood.filter((status) => status === 400).length, 400);
  assert.equal(flood.filter((status) => status === 488).length, 600);
  await eventually('every session is forgotten', async () =>
    scene.server.callreel.calls.counts.calls === 0 ? true : undefined,
  );
  assert.ok(lines.length - before <= 2, lines.slice(before).join(''));
  assert.equal(lines.filter((line) => line.includes('SIP refused')).length, 1, 'the first is told in full');
  assert.deepEqual(scene.app.requests('/incoming'), []);
  const rows = new DirectoryRows(scene.server.dataDir);
  try {
    assert.deepEqual(await rows.connections(), []);
  } finally {
    await rows.close();
  }
  assert.equal((await scene.server.callreel.media.stats())[0]!.openPorts, 0);
});

test('after them a call with a usable offer is served', async () => {
  const call = await scene.call([scene.join('as ever')]);
  await scene.conference('as ever');
  await call.hangUp();
  const rows = new DirectoryRows(scene.server.dataDir);
  try {
    assert.equal((await rows.connections()).length, 1);
  } finally {
    await rows.close();
  }
});
