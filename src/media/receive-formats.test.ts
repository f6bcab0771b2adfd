import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { receiveFormats } from './receive-formats.ts';
import { formats } from './test-voice.ts';

const names = (agreement: Parameters<typeof receiveFormats>[0]): string[] =>
  receiveFormats(agreement).flatMap((format, type) =>
    format
      ? [`${type} ${format.codec}/${format.clockRateHz} ${format.decoder ? format.rateHz : 'noise'}`]
      : [],
  );

describe('What a leg may send', () => {
  it('is every codec agreed, with a decoder of its own, and comfort noise', () => {
    const agreement = {
      receive: [formats.opus, formats.g722, formats.pcmu],
      comfortNoise: [{ payloadType: 98, clockRateHz: 48_000 }],
      telephoneEvent: undefined,
    };
    assert.deepEqual(names(agreement), [
      '0 PCMU/8000 8000',
      '9 G722/8000 16000',
      '13 CN/8000 noise',
      '98 CN/48000 noise',
      '111 OPUS/48000 48000',
    ]);
    const again = receiveFormats(agreement);
    assert.notEqual(again[9]!.decoder, receiveFormats(agreement)[9]!.decoder);
    assert.equal(again[9]!.decoder, receiveFormats(agreement, again)[9]!.decoder, 'a session refresh');
    const moved = { ...agreement, receive: [{ ...formats.opus, payloadType: 9 }] };
    assert.notEqual(again[9]!.decoder, receiveFormats(moved, again)[9]!.decoder);
  });

  it('leaves number 13 to whatever else was agreed for it', () => {
    const telephoneEvent = { payloadType: 13, clockRateHz: 8000 };
    assert.deepEqual(names({ receive: [formats.pcmu], telephoneEvent }), ['0 PCMU/8000 8000']);
    const odd = { ...formats.opus, payloadType: 13 };
    assert.deepEqual(names({ receive: [odd], telephoneEvent: undefined }), ['13 OPUS/48000 48000']);
  });
});
