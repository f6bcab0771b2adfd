import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CallreelError } from '../errors.ts';
import { applyAnswer } from './applied-answer.ts';
import { LocalSrtp } from './local-srtp.ts';
import { answerOffer, createOffer, type LocalMedia } from './offer-answer.ts';
import type { SrtpPolicy } from './srtp-parameters.ts';

function local(policy: SrtpPolicy): LocalMedia & { srtp: LocalSrtp } {
  return {
    address: '198.51.100.9',
    port: 20_000,
    codecs: ['PCMU', 'PCMA'],
    sessionId: '77',
    version: 3,
    telephoneEvents: false,
    srtp: new LocalSrtp(policy),
  };
}

const theirs = Buffer.alloc(30, 9).toString('base64');
const theirsGcm = Buffer.alloc(28, 8).toString('base64');
const cm80 = `a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${theirs}|2^31`;
const cm32 = `a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${theirs}`;
const gcm = `a=crypto:4 AEAD_AES_128_GCM inline:${theirsGcm}`;
const strange = `a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:${Buffer.alloc(46).toString('base64')}`;

function sdpOf(...media: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...media, ''].join('\r\n');
}

const streams = (sdp: string) => sdp.split('\r\n').filter((line) => /^(m=|a=crypto)/.test(line));

describe('answer', () => {
  const savp = 'm=audio 4000 RTP/SAVP 0';
  const avp = 'm=audio 4000 RTP/AVP 0';
  const cm80Answer = 'a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:OURS';
  const plain = ['m=audio 20000 RTP/AVP 0'];
  const refused = /MEDIA_TRANSPORT_UNSUPPORTED/;
  for (const [name, offer, expected] of [
    [
      'SAVP',
      [savp, cm80],
      {
        off: refused,
        optional: ['m=audio 20000 RTP/SAVP 0', cm80Answer],
        required: ['m=audio 20000 RTP/SAVP 0', cm80Answer],
      },
    ],
    [
      'SAVPF',
      ['m=audio 4000 RTP/SAVPF 0', cm80],
      {
        off: refused,
        optional: ['m=audio 20000 RTP/SAVPF 0', cm80Answer],
        required: ['m=audio 20000 RTP/SAVPF 0', cm80Answer],
      },
    ],
    [
      'keys in a plain profile (RFC 8643)',
      [avp, cm80],
      {
        off: plain,
        optional: ['m=audio 20000 RTP/AVP 0', cm80Answer],
        required: ['m=audio 20000 RTP/AVP 0', cm80Answer],
      },
    ],
    ['unknown keys in a plain profile', [avp, strange], { off: plain, optional: plain, required: refused }],
    ['unknown keys alone', [savp, strange], { off: refused, optional: refused, required: refused }],
    ['no keys', [savp], { off: refused, optional: refused, required: refused }],
    ['plain RTP', [avp], { off: plain, optional: plain, required: refused }],
    [
      'plain RTP beside SRTP',
      ['m=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/SAVP 0', cm80],
      {
        off: ['m=audio 20000 RTP/AVP 0', 'm=audio 0 RTP/SAVP 0'],
        optional: ['m=audio 20000 RTP/AVP 0', 'm=audio 0 RTP/SAVP 0'],
        required: ['m=audio 0 RTP/AVP 0', 'm=audio 20000 RTP/SAVP 0', cm80Answer],
      },
    ],
    [
      'the suite we prefer',
      [savp, cm32, strange, cm80, gcm],
      {
        off: refused,
        optional: ['m=audio 20000 RTP/SAVP 0', 'a=crypto:4 AEAD_AES_128_GCM inline:OURS'],
        required: ['m=audio 20000 RTP/SAVP 0', 'a=crypto:4 AEAD_AES_128_GCM inline:OURS'],
      },
    ],
  ] as const)
    for (const policy of ['off', 'optional', 'required'] as const)
      test(`${name}, where SRTP is ${policy}`, () => {
        const options = local(policy);
        const wanted: RegExp | readonly string[] = expected[policy];
        const answered = () => answerOffer(sdpOf(...offer), options);
        if (wanted instanceof RegExp) {
          assert.throws(answered, (error) => error instanceof CallreelError && wanted.test(error.code));
          return;
        }
        const { answer, negotiated } = answered();
        const key = negotiated.srtp?.send.key.keySalt ?? 'none';
        assert.deepEqual(
          streams(answer).map((line) => line.replace(key, 'OURS')),
          wanted,
        );
        assert.equal(
          negotiated.srtp !== undefined,
          wanted.some((line) => line.startsWith('a=crypto')),
        );
      });

  test('each side is sent what the other wrote', () => {
    const options = local('optional');
    const { negotiated } = answerOffer(sdpOf(savp, cm80), options);
    const suite = 'AES_CM_128_HMAC_SHA1_80';
    assert.deepEqual(negotiated.srtp, {
      send: { suite, key: { keySalt: options.srtp.keySalt(suite) } },
      receive: { suite, keys: [{ keySalt: theirs }] },
    });
    assert.equal(Buffer.from(options.srtp.keySalt(suite), 'base64').length, 30);
  });

  test('an error shows no keys', () => {
    try {
      answerOffer(sdpOf(savp, cm80), local('off'));
      assert.fail('it was accepted');
    } catch (error) {
      assert.ok(error instanceof CallreelError && !JSON.stringify(error).includes(theirs));
    }
  });
});

describe('offer', () => {
  const profileOf = (policy: SrtpPolicy) => streams(createOffer(local(policy)));

  test('required in a secure profile, optional in a plain one, off not at all', () => {
    assert.equal(profileOf('required')[0], 'm=audio 20000 RTP/SAVP 0 8');
    assert.equal(profileOf('optional')[0], 'm=audio 20000 RTP/AVP 0 8');
    assert.deepEqual(profileOf('off'), ['m=audio 20000 RTP/AVP 0 8']);
    for (const policy of ['required', 'optional'] as const)
      assert.deepEqual(
        profileOf(policy)
          .slice(1)
          .map((line) => line.split(' ').slice(0, 2).join(' ')),
        [
          'a=crypto:1 AEAD_AES_128_GCM',
          'a=crypto:2 AES_CM_128_HMAC_SHA1_80',
          'a=crypto:3 AES_CM_128_HMAC_SHA1_32',
        ],
      );
  });

  test('what is optional may be left to the peer to ask for: no keys of ours in the clear', () => {
    const quiet = { ...local('optional'), srtp: new LocalSrtp('optional', false) };
    assert.deepEqual(streams(createOffer(quiet)), ['m=audio 20000 RTP/AVP 0 8']);
    assert.ok(answerOffer(sdpOf('m=audio 4000 RTP/SAVP 0', cm80), quiet).negotiated.srtp);
    const required = { ...local('required'), srtp: new LocalSrtp('required', false) };
    assert.equal(streams(createOffer(required))[0], 'm=audio 20000 RTP/SAVP 0 8');
  });

  for (const tag of [2, 1])
    test(`the answer chooses by its tag, or by its suite where the tag is wrong: ${tag}`, () => {
      const options = local('required');
      const answer = sdpOf('m=audio 4000 RTP/SAVP 0', cm80.replace('crypto:3', `crypto:${tag}`));
      const { srtp } = applyAnswer(createOffer(options), answer);
      const suite = 'AES_CM_128_HMAC_SHA1_80';
      assert.deepEqual(srtp, {
        send: { suite, key: { keySalt: options.srtp.keySalt(suite) } },
        receive: { suite, keys: [{ keySalt: theirs }] },
      });
    });

  test('an answer without keys is plain RTP where SRTP is optional, and none where it is required', () => {
    const plain = sdpOf('m=audio 4000 RTP/AVP 0');
    assert.equal(applyAnswer(createOffer(local('optional')), plain).srtp, undefined);
    for (const answer of [plain, sdpOf('m=audio 4000 RTP/SAVP 0'), sdpOf('m=audio 4000 RTP/SAVP 0', strange)])
      assert.throws(
        () => applyAnswer(createOffer(local('required')), answer),
        (error) => error instanceof CallreelError && error.code === 'MEDIA_TRANSPORT_UNSUPPORTED',
      );
  });

  test('our offer, answered by ourselves: what one sends with the other receives with', () => {
    const offer = createOffer(local('required'));
    const { answer, negotiated } = answerOffer(offer, local('optional'));
    const ours = applyAnswer(offer, answer).srtp!;
    assert.equal(ours.send.suite, 'AEAD_AES_128_GCM');
    assert.deepEqual(negotiated.srtp?.receive.keys, [ours.send.key]);
    assert.deepEqual(ours.receive.keys, [negotiated.srtp?.send.key]);
  });
});
