import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { lossyChannelWithSilence, lostSpan, writeLossyRecording } from '../render/test-lossy-recording.ts';
import { manifestFile } from '../spool/layout.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { spoolCommands } from './spool.ts';

test('an export has silence where packets were lost, if it is asked for that', async () => {
  const spool = new TestSpool();
  try {
    writeLossyRecording(spool);
    const manifest = join(spool.spoolDirectory, manifestFile('room', 'rec'));
    const channel = async (...options: string[]): Promise<Int16Array> => {
      const out = join(spool.dataDirectory, `out${options.join('')}`);
      await spoolCommands[0]!.run([manifest, '--out', out, ...options]);
      return pcm16Samples(parseWav(readFileSync(join(out, 'rec-a.wav'))).data);
    };
    assert.deepEqual(await channel('--loss-concealment', 'off'), lossyChannelWithSilence);
    const concealed = (await channel()).subarray(...lostSpan);
    assert.ok(
      concealed.some((sample) => Math.abs(sample) > 1000),
      'the gap is filled',
    );
    await assert.rejects(channel('--loss-concealment', 'perhaps'), { code: 'USAGE' });
  } finally {
    spool.remove();
  }
});
