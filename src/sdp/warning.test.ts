import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import { warningFor } from './warning.ts';

for (const [code, message, expected] of [
  ['MEDIA_TRANSPORT_UNSUPPORTED', 'audio over DTLS-SRTP only', '302 callreel "audio over DTLS-SRTP only"'],
  ['NO_COMMON_CODEC', 'the offer has no audio stream', '304 callreel "the offer has no audio stream"'],
  ['NO_COMMON_CODEC', 'no codec in common', '305 callreel "no codec in common"'],
  ['SDP_INVALID', 'session description: empty', '399 callreel "session description: empty"'],
  ['SDP_INVALID', 'a "quoted"\\ line\r\nX: 1 \u00e9', '399 callreel "a  quoted   line  X: 1  "'],
] as const)
  test(`${code} ${JSON.stringify(message)}`, () =>
    assert.equal(warningFor(new CallreelError(code, message), 'callreel'), expected));
