import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CallreelError } from '../errors.ts';
import {
  attributeValue,
  parseSessionDescription,
  type SessionDescription,
  serializeSessionDescription,
} from './session-description.ts';

const lines = (...rest: string[]): string => `${['v=0', ...rest].join('\r\n')}\r\n`;

function invalidAt(text: string): string | undefined {
  try {
    parseSessionDescription(text);
  } catch (error) {
    assert.ok(error instanceof CallreelError);
    assert.equal(error.code, 'SDP_INVALID');
    return error.where;
  }
  return assert.fail('it was accepted');
}

describe('parse', () => {
  const text = lines(
    'o=alice 2890844526 18446744073709551615 IN IP4 host.example',
    's=A call',
    'i=left out',
    'c=IN IP4 198.51.100.1',
    'b=AS:84',
    't=0 0',
    'a=sendonly',
    'm=audio 49170/2 RTP/AVP 0 8 97',
    'c=IN IP6 2001:db8::1',
    'a=rtpmap:97 opus/48000/2',
    'a=fmtp:97 a=b; c=d',
    'a=inactive',
    'm=video 0 RTP/AVP 31',
  );

  test('levels are kept apart', () => {
    assert.deepEqual(parseSessionDescription(text), {
      origin: {
        username: 'alice',
        sessionId: '2890844526',
        version: '18446744073709551615',
        addressType: 'IP4',
        address: 'host.example',
      },
      name: 'A call',
      connection: { addressType: 'IP4', address: '198.51.100.1' },
      attributes: [{ name: 'sendonly', value: undefined }],
      media: [
        {
          kind: 'audio',
          port: 49_170,
          protocol: 'RTP/AVP',
          formats: ['0', '8', '97'],
          connection: { addressType: 'IP6', address: '2001:db8::1' },
          attributes: [
            { name: 'rtpmap', value: '97 opus/48000/2' },
            { name: 'fmtp', value: '97 a=b; c=d' },
            { name: 'inactive', value: undefined },
          ],
        },
        {
          kind: 'video',
          port: 0,
          protocol: 'RTP/AVP',
          formats: ['31'],
          connection: undefined,
          attributes: [],
        },
      ],
    } satisfies SessionDescription);
  });

  test('line ends of any kind, blank lines and blanks at line ends say nothing', () => {
    const expected = parseSessionDescription(text);
    for (const variant of [
      text.replaceAll('\r\n', '\n'),
      text.replaceAll('\r\n', '\r'),
      text.replaceAll('\r\n', ' \r\n'),
      `\r\n${text}\r\n\r\n`,
      `${text}\0`,
      text.trimEnd(),
    ])
      assert.deepEqual(parseSessionDescription(variant), expected);
  });

  test('what was parsed is written and parsed again without a change', () => {
    const session = parseSessionDescription(text);
    const written = serializeSessionDescription(session);
    assert.deepEqual(parseSessionDescription(written), session);
    assert.ok(written.endsWith('\r\n'));
    assert.ok(!written.replaceAll('\r\n', '').includes('\n'));
  });

  test('missing origin, name, time and connection are tolerated', () => {
    const session = parseSessionDescription('v=0\nm=audio 4000 RTP/AVP 0');
    assert.equal(session.media[0]!.port, 4000);
    assert.equal(session.connection, undefined);
  });

  test('TTL and number of addresses are taken off', () => {
    assert.equal(parseSessionDescription(lines('c=IN IP4 224.2.1.1/127/3')).connection?.address, '224.2.1.1');
  });

  test('attribute values', () => {
    const session = parseSessionDescription(lines('a=ptime: 20', 'a=inactive', 'a=ptime:30'));
    assert.equal(attributeValue(session, 'ptime'), '20');
    assert.equal(attributeValue(session, 'inactive'), '');
    assert.equal(attributeValue(session, 'Ptime'), undefined);
  });
});

describe('refusals name the line', () => {
  for (const [name, text, where] of [
    ['nothing', '', undefined],
    ['blanks', ' \r\n\r\n', undefined],
    ['no version', 'o=- 1 1 IN IP4 0.0.0.0\r\n', 'line 1: o=- 1 1 IN IP4 0.0.0.0'],
    ['another version', 'v=1\r\n', 'line 1: v=1'],
    ['a port of letters', lines('m=audio x RTP/AVP 0'), 'line 2: m=audio x RTP/AVP 0'],
    ['a port too large', lines('m=audio 65536 RTP/AVP 0'), 'line 2: m=audio 65536 RTP/AVP 0'],
    ['a negative port', lines('m=audio -1 RTP/AVP 0'), 'line 2: m=audio -1 RTP/AVP 0'],
    ['no protocol', lines('m=audio 4000'), 'line 2: m=audio 4000'],
    ['a connection without address', lines('s=-', 'c=IN IP4'), 'line 3: c=IN IP4'],
    ['a connection of another network', lines('c=ATM NSAP 47.0091'), 'line 2: c=ATM NSAP 47.0091'],
  ] as const)
    test(name, () => assert.equal(invalidAt(text), where));

  for (const [name, text] of [
    ['too long', lines('s='.padEnd(70_000, 'x'))],
    ['too many lines', lines(...Array<string>(3000).fill('k='))],
    ['too many media', lines(...Array<string>(33).fill('m=audio 1 RTP/AVP 0'))],
    ['too many attributes', lines(...Array<string>(513).fill('a=x'))],
    ['too many formats', lines(`m=audio 1 RTP/AVP ${'0 '.repeat(129)}`)],
  ] as const)
    test(name, () => void invalidAt(text));
});

test('a refusal shows no keys', () => {
  const crypto = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20';
  const where = invalidAt(lines(...Array<string>(513).fill(crypto)));
  assert.match(where ?? '', /inline:\[redacted\]\|2\^20/);
  assert.doesNotMatch(where ?? '', /d0Rm/);
});

test('mutations of a real offer give a description or SDP_INVALID, nothing else', () => {
  const offer = readFileSync(`${siprecOffers}/non-siprec-payload.txt`, 'latin1');
  let state = 4711;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % below;
  };
  let parsed = 0;
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const at = random(offer.length);
    const cut = random(12);
    const insert = String.fromCharCode(...Array.from({ length: random(4) }, () => random(256)));
    try {
      parseSessionDescription(offer.slice(0, at) + insert + offer.slice(at + cut));
      parsed++;
    } catch (error) {
      assert.ok(error instanceof CallreelError && error.code === 'SDP_INVALID');
      refused++;
    }
  }
  assert.ok(parsed > 100 && refused > 10, `${parsed} parsed, ${refused} refused`);
});

const siprecOffers = new URL('../../test/data/siprec-offers', import.meta.url).pathname;

/** The SDP parts of a file: MIME bodies, or descriptions set apart by `__split_here__`. */
function descriptionsIn(file: string): string[] {
  const text = readFileSync(`${siprecOffers}/${file}`, 'latin1');
  return [...text.matchAll(/^v=0$[\s\S]*?(?=^--|^__split_here__|(?![\s\S]))/gm)].map(([part]) => part);
}

describe('real offers of SIPREC clients parse', () => {
  const files = readdirSync(siprecOffers).filter((file) => file.endsWith('.txt'));
  assert.equal(files.length, 14);
  for (const file of files)
    test(file, () => {
      const parts = descriptionsIn(file);
      assert.ok(parts.length >= 1);
      for (const part of parts) {
        const session = parseSessionDescription(part);
        assert.equal(session.media.length, part.match(/^m=/gm)!.length);
        assert.ok(session.media.every(({ kind, port }) => kind === 'audio' && port > 1024));
        assert.ok(session.media.every((media) => media.attributes.length > 0));
        assert.deepEqual(parseSessionDescription(serializeSessionDescription(session)), session);
      }
    });
});
