import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FormatRecord } from '../spool/records.ts';
import { StreamDecoder } from './stream-decoder.ts';

const ulaw: FormatRecord = { kind: 'format', codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 7 };

function decodes(begun: FormatRecord, rateHz: number, next: FormatRecord): boolean {
  const decoder = new StreamDecoder(begun, rateHz);
  try {
    return decoder.decodesSeries(next);
  } finally {
    decoder.close();
  }
}

test('packets are decoded many at once as long as stream, codec and rate are one', () => {
  const alaw: FormatRecord = { ...ulaw, codec: 'PCMA', payloadType: 8 };
  assert.ok(decodes(ulaw, 8000, ulaw));
  assert.ok(decodes(ulaw, 8000, { ...ulaw, payloadType: 100 }));
  assert.ok(decodes(alaw, 8000, alaw));
  assert.ok(!decodes(ulaw, 8000, alaw));
  assert.ok(!decodes(ulaw, 8000, { ...ulaw, ssrc: 8 }));
  assert.ok(!decodes(ulaw, 16_000, ulaw));
  const wide: FormatRecord = { ...ulaw, codec: 'G722' };
  assert.ok(!decodes(wide, 16_000, wide));
});
