import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import { type AudioFileShape, audioFileFormats, openAudioFile } from './audio-file.ts';
import { fileOf, testTones } from './test-signal.ts';

const beginnings = { wav: 'RIFF', mp3: '\xff', mp4: '\0\0\0\x1cftyp' };

test('every format, rate and number of channels: same audio, same file; its length is known at the end', () => {
  for (const format of audioFileFormats)
    for (const rateHz of [8000, 16_000, 48_000] as const)
      for (const channels of [1, 2] as const) {
        const signal = testTones(rateHz / 4, rateHz, ...[440, 700].slice(0, channels));
        const files = [signal.length, 160 * channels].map((chunk) => {
          const writer = openAudioFile({ format, rateHz, channels });
          const parts = [];
          for (let at = 0; at < signal.length; at += chunk)
            parts.push(...writer.write(signal.subarray(at, at + chunk)));
          parts.push(...writer.finish());
          const file = fileOf(parts);
          assert.deepEqual([writer.samples, writer.byteLength], [rateHz / 4, file.length]);
          return file;
        });
        assert.ok(files[0]!.equals(files[1]!), `${format}, ${rateHz} Hz, ${channels}`);
        assert.ok(files[0]!.toString('latin1').startsWith(beginnings[format]));
      }
});

test('any other shape is refused, and named', () => {
  const shape = { format: 'wav', rateHz: 8000, channels: 1 };
  for (const [where, value] of [
    ['rateHz', 44_100],
    ['rateHz', Number.NaN],
    ['rateHz', '8000'],
    ['channels', 0],
    ['channels', 3],
    ['format', 'ogg'],
    ['format', undefined],
  ] as const)
    assert.throws(
      () => openAudioFile({ ...shape, [where]: value } as AudioFileShape),
      (error) => error instanceof CallreelError && error.code === 'REQUEST_INVALID' && error.where === where,
    );
});
