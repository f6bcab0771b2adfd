import assert from 'node:assert/strict';
import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import { conversationDirectoryOf, manifestSuffix } from '../spool/layout.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { OpenedSpools } from './opened-spools.ts';

const endUs = 1e6;

describe('OpenedSpools', () => {
  it('reads an ended recording once, until its manifest is another one or it is erased', () => {
    const spool = new TestSpool();
    try {
      const directory = conversationDirectoryOf(spool.spoolDirectory, 'room');
      const talk = { trackId: 'a', records: testStream(new Int16Array(8000).fill(1000)).records };
      const growing = new TestGrowingRecording([{ ...talk, leaveUs: endUs }], [], {
        spool,
        recordingId: 'A',
      });
      const spools = new OpenedSpools(spool.masterKey);
      growing.until(endUs / 2);
      const running = spools.open(directory, 'A');
      assert.equal(running.end, undefined);
      assert.notEqual(spools.open(directory, 'A'), running);
      growing.end(endUs);
      const ended = spools.open(directory, 'A');
      assert.ok(ended.end);
      assert.equal(spools.open(directory, 'A'), ended);
      const manifest = join(directory, `A${manifestSuffix}`);
      utimesSync(manifest, 1, 1);
      const again = spools.open(directory, 'A');
      assert.notEqual(again, ended);
      assert.deepEqual(again.end, ended.end);
      spools.drop('A');
      assert.notEqual(spools.open(directory, 'A'), again);
      rmSync(manifest);
      assert.throws(() => spools.open(directory, 'A'), { code: 'NOT_FOUND' });
    } finally {
      spool.remove();
    }
  });
});
