import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opusFmtp, parseOpusParameters } from './opus-parameters.ts';

for (const [fmtp, expected] of [
  [undefined, {}],
  ['', {}],
  ['stereo=1; sprop-stereo=1; cbr=1', {}],
  ['maxplaybackrate=16000;maxaveragebitrate=20000', { maxPlaybackRateHz: 16_000, maxAverageBitrate: 20_000 }],
  ['useinbandfec=1; usedtx=0', { useInbandFec: true, useDtx: false }],
  ['UseInbandFEC=1;useinbandfec=0', { useInbandFec: true }],
  ['maxplaybackrate=7999;maxaveragebitrate=510001;usedtx=2', {}],
  ['maxplaybackrate=1e4;maxaveragebitrate=-6000;useinbandfec', {}],
  [opusFmtp, { useInbandFec: true, useDtx: false }],
] as const)
  test(`${fmtp}`, () => assert.deepEqual(parseOpusParameters(fmtp), expected));
