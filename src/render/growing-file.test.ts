import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { type AudioFileFormat, openAudioFile } from '../container/audio-file.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import type { FilePart } from '../container/writer.ts';
import { CallreelError } from '../errors.ts';
import { GrowingFile } from './growing-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'callreel-growing-'));
after(() => rmSync(directory, { recursive: true }));

const samples = Int16Array.from({ length: 80_000 }, (_, k) => 9000 * Math.sin(k / 3));

function partsOf(format: AudioFileFormat): FilePart[] {
  const writer = openAudioFile({ format, rateHz: 8000, channels: 1 });
  return [...writer.write(samples), ...writer.finish()];
}

test('on disk is what the writer says, after every step and at the end', () => {
  for (const format of ['wav', 'mp3', 'mp4'] as const) {
    const path = join(directory, `whole.${format}`);
    const file = new GrowingFile(path, { format, rateHz: 8000, channels: 1 });
    assert.ok(statSync(path).size > 0, 'an empty file plays as well');
    for (let at = 0; at < samples.length; at += 160) {
      file.write(samples.subarray(at, at + 160));
      assert.equal(statSync(path).size, file.byteLength);
    }
    file.finish();
    file.finish();
    const expected = Buffer.alloc(file.byteLength);
    for (const { at, bytes } of partsOf(format)) expected.set(bytes, at);
    assert.ok(readFileSync(path).equals(expected));
    assert.equal(file.failure, undefined);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }
});

test('refreshed, a WAV file lists every sample', () => {
  const path = join(directory, 'refreshed.wav');
  const file = new GrowingFile(path, { format: 'wav', rateHz: 8000, channels: 1 });
  file.write(samples.subarray(0, 1000));
  file.refresh();
  assert.deepEqual(pcm16Samples(parseWav(readFileSync(path)).data), samples.subarray(0, 1000));
  file.finish();
});

test('a file that is there already is left alone', () => {
  const path = join(directory, 'taken.wav');
  const shape = { format: 'wav', rateHz: 8000, channels: 1 } as const;
  new GrowingFile(path, shape).finish();
  for (const unusable of [path, join(directory, 'missing', 'file.wav')])
    assert.throws(
      () => new GrowingFile(unusable, shape),
      (error) => error instanceof CallreelError && error.code === 'FILE_UNUSABLE' && error.where === unusable,
    );
  assert.equal(statSync(path).size, 80);
});

/** Writes ten seconds where the system allows files of 32 KiB, and says what became of it. */
const script = `
import { GrowingFile } from ${JSON.stringify(new URL('./growing-file.ts', import.meta.url).href)};
const [path, format] = process.argv.slice(1);
const file = new GrowingFile(path, { format, rateHz: 8000, channels: 1 });
for (let k = 0; k < 500; k += 1) file.write(new Int16Array(160).fill(k));
file.finish();
console.log(JSON.stringify({ failure: file.failure, byteLength: file.byteLength }));
`;

test('where the disk takes no more, the file ends with what was whole, and says so', async () => {
  for (const format of ['wav', 'mp3', 'mp4'] as const) {
    const path = join(directory, `limited.${format}`);
    const command = `ulimit -f 64; exec "$0" --input-type=module-typescript -e "$1" "$2" "$3"`;
    const child = ['-c', command, process.execPath, script, path, format];
    const { stdout } = await promisify(execFile)('sh', child, { timeout: 60_000 });
    const { failure, byteLength } = JSON.parse(stdout);
    const file = readFileSync(path);
    assert.equal(file.length, byteLength);
    assert.ok(file.length > 20_000 && file.length <= 32_768);
    assert.deepEqual([failure.code, failure.where], ['FILE_UNUSABLE', path]);
    if (format === 'wav') {
      const { data } = parseWav(file);
      assert.ok(data.length <= file.length - 80 && data.length > file.length - 80 - 3200);
    }
  }
});
