import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstMp3Frame } from './mp3-header.ts';
import { toneMp3 } from './test-audio.ts';

function id3Tag(bytes: number): Buffer {
  const tag = Buffer.alloc(10 + bytes);
  tag.write('ID3\x04\0\0', 'latin1');
  for (let k = 0; k < 4; k++) tag[6 + k] = (bytes >> (21 - 7 * k)) & 0x7f;
  return tag;
}

test('rate and length of the frame, for MPEG-1, 2 and 2.5', async () => {
  for (const [rateHz, bytes] of [
    [8000, 288],
    [16_000, 144],
    [48_000, 96],
  ] as const)
    assert.deepEqual(firstMp3Frame(await toneMp3(5000, rateHz)), { offset: 0, bytes, rateHz });
});

test('behind tags and junk, but not behind anything', async () => {
  const mp3 = await toneMp3(5000, 8000);
  assert.equal(firstMp3Frame(Buffer.concat([id3Tag(5000), mp3]))?.offset, 5010);
  assert.equal(firstMp3Frame(Buffer.concat([id3Tag(20), id3Tag(300), Buffer.alloc(77), mp3]))?.offset, 417);
  assert.equal(firstMp3Frame(Buffer.concat([Buffer.alloc(70_000), mp3])), undefined);
});

test('a single frame is a file; bytes that look like a header are not', async () => {
  const mp3 = await toneMp3(5000, 8000);
  assert.equal(firstMp3Frame(mp3.subarray(0, 288))?.bytes, 288);
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('ID3'),
    id3Tag(0),
    // A tag that claims more than there is.
    Buffer.concat([Buffer.from('ID3\x04\0\0\x7f\x7f\x7f\x7f', 'latin1'), mp3]),
    Buffer.alloc(70_000, 0xff),
    // Frames that nothing follows where the next should be.
    Buffer.concat([mp3.subarray(0, 288), Buffer.alloc(400)]),
    Buffer.from('<!doctype html><title>ÿãHÄ</title>', 'latin1'),
  ])
    assert.equal(firstMp3Frame(bytes), undefined);
});
