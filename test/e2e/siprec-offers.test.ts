import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { bodyText, headerValue, type SipResponse } from '../../src/sip/message.ts';
import { tagOf } from '../../src/sip/name-address.ts';
import { RawPeer } from '../../src/sip/test-peers.ts';
import { calledNumber, Scene } from './scene.ts';

/**
 * What recording clients of several vendors offer (`test/data/siprec-offers`), sent as they are, without
 * `Require: siprec`. Of their streams the first is taken and each other refused in its place (RFC 3264 section 6);
 * RFC 7866 section 7.1.1 has a recording server take all of them. `PORT` is ours.
 */
const answers: Record<string, { streams: string[]; direction: string }[]> = {
  'acme-siprec-offer.txt': [
    { streams: ['m=audio PORT RTP/AVP 0', 'm=audio 0 RTP/AVP 0'], direction: 'recvonly' },
  ],
  // Its connection address is no address: the first packet tells.
  'broadworks-offer.txt': [{ streams: ['m=audio PORT RTP/AVP 8 0 9 101'], direction: 'recvonly' }],
  'broadworks-offer-2.txt': [
    { streams: ['m=audio PORT RTP/AVP 8 97', 'm=audio 0 RTP/AVP 8 97'], direction: 'recvonly' },
  ],
  'cisco-siprec-offer.txt': [
    { streams: ['m=audio PORT RTP/AVP 0 101', 'm=audio 0 RTP/AVP 0 101'], direction: 'recvonly' },
  ],
  // These three have neither c= nor t=, and 0.0.0.0 as their origin.
  'connectel-offer.txt': [
    { streams: ['m=audio PORT RTP/AVP 0 8 101', 'm=audio 0 RTP/AVP 8 0 101'], direction: 'recvonly' },
  ],
  'connectel-offer2.txt': [
    { streams: ['m=audio PORT RTP/AVP 0 8 101', 'm=audio 0 RTP/AVP 8 0 101'], direction: 'recvonly' },
  ],
  'connectel-offer3.txt': [
    { streams: ['m=audio PORT RTP/AVP 0 8 101', 'm=audio 0 RTP/AVP 8 0 101'], direction: 'recvonly' },
  ],
  'inactive-sdp-offer.txt': [
    { streams: ['m=audio PORT RTP/AVP 0 101 19', 'm=audio 0 RTP/AVP 0 101 19'], direction: 'inactive' },
  ],
  'non-siprec-payload.txt': [{ streams: ['m=audio PORT RTP/AVP 0 101'], direction: 'recvonly' }],
  'procomm-siprec-offer.txt': [
    { streams: ['m=audio PORT RTP/AVP 8', 'm=audio 0 RTP/AVP 8'], direction: 'recvonly' },
  ],
  'sample-sdp2.txt': [
    { streams: ['m=audio PORT RTP/AVP 8 0 101'], direction: 'recvonly' },
    { streams: ['m=audio PORT RTP/AVP 0'], direction: 'recvonly' },
  ],
  'sample-sdp3.txt': [
    { streams: ['m=audio PORT RTP/AVP 8 101'], direction: 'sendrecv' },
    { streams: ['m=audio PORT RTP/AVP 8 101'], direction: 'sendonly' },
  ],
  'sample-sdps.txt': [
    { streams: ['m=audio PORT RTP/AVP 0'], direction: 'recvonly' },
    { streams: ['m=audio PORT RTP/AVP 0'], direction: 'recvonly' },
  ],
  'sonus-siprec-offer.txt': [
    { streams: ['m=audio PORT RTP/AVP 0', 'm=audio 0 RTP/AVP 0'], direction: 'recvonly' },
  ],
};

const folder = new URL('../data/siprec-offers/', import.meta.url);

/** Bodies of a file: one with several parts, or descriptions set apart by `__split_here__`. */
function bodiesOf(file: string): { type: string; body: string }[] {
  const text = readFileSync(new URL(file, folder), 'latin1');
  const boundary = /^--(\S+)$/m.exec(text)?.[1];
  if (boundary !== undefined)
    return [{ type: `multipart/mixed;boundary=${boundary}`, body: text.slice(text.indexOf('--')) }];
  return text.split(/__split_here__\s*/).map((body) => ({ type: 'application/sdp', body: body.trimStart() }));
}

const scene = await Scene.open();
scene.audience.routineFor('sip:src@127.0.0.1', [scene.join('siprec')]);
const uri = scene.server.sipUri(calledNumber);
const client = await RawPeer.open(Number(uri.split(':').at(-1)));
after(async () => {
  client.close();
  await scene[Symbol.asyncDispose]();
});
let calls = 0;

async function invite(type: string, body: string, ...headers: string[]): Promise<SipResponse> {
  const callId = `siprec-${++calls}`;
  const common = (method: string, sequence: number, to: string) => [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${client.port};branch=z9hG4bK-${callId}-${method}`,
    'From: <sip:src@127.0.0.1>;tag=src',
    `To: <${uri}>${to}`,
    `Call-ID: ${callId}`,
    `CSeq: ${sequence} ${method}`,
    'Max-Forwards: 70',
    `Contact: <sip:src@127.0.0.1:${client.port}>`,
  ];
  const end = ['Content-Length: 0', '', ''];
  client.send(
    [
      ...common('INVITE', 1, ''),
      ...headers,
      `Content-Type: ${type}`,
      `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
      '',
      body,
    ].join('\r\n'),
  );
  const response = await client.response('INVITE');
  const tag = `;tag=${tagOf(response.to)}`;
  client.send([...common('ACK', 1, tag), ...end].join('\r\n'));
  if (response.status === 200) client.send([...common('BYE', 2, tag), ...end].join('\r\n'));
  return response;
}

describe('offers of recording clients', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));
  assert.deepEqual(files.sort(), Object.keys(answers).sort());
  for (const file of files)
    for (const [index, { type, body }] of bodiesOf(file).entries())
      test(`${file}, ${type.split(';')[0]} ${index + 1}: 200`, async () => {
        const response = await invite(type, body);
        assert.equal(response.status, 200, response.reason);
        const lines = bodyText(response).split('\r\n');
        const expected = answers[file]![index]!;
        assert.deepEqual(
          lines
            .filter((line) => line.startsWith('m='))
            .map((line) => line.replace(/ [1-9]\d* RTP/, ' PORT RTP')),
          expected.streams,
        );
        assert.deepEqual(
          lines.filter((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line)),
          [`a=${expected.direction}`],
        );
      });

  test('Require: siprec is refused with 420 (RFC 3261 section 8.2.2.3)', async () => {
    const [offer] = bodiesOf('cisco-siprec-offer.txt');
    const response = await invite(offer!.type, offer!.body, 'Require: siprec');
    assert.equal(response.status, 420);
    assert.equal(headerValue(response, 'unsupported'), 'siprec');
  });
});
