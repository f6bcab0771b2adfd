import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../clock.ts';
import { parseWav } from '../container/wav-parser.ts';
import { loadMasterKey } from '../spool/keys.ts';
import { spoolDirectoryOf } from '../spool/layout.ts';
import { FileDesk } from './file-desk.ts';

const moduleUrl = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

/** Records twenty seconds where the system allows files of 300 KiB: enough for the spool, not for the stereo file. */
const script = `
import { TestGrowingRecording } from ${moduleUrl('../render/test-growing-recording.ts')};
import { frame, testNoise, testStream } from ${moduleUrl('../render/test-track.ts')};
import { TestSpool } from ${moduleUrl('../spool/test-spool.ts')};
import { FileDesk } from ${moduleUrl('./file-desk.ts')};
const [dataDirectory, path] = process.argv.slice(1);
const spool = new TestSpool({ dataDirectory });
const { records } = testStream(testNoise(1000 * frame, 9000));
const recording = new TestGrowingRecording([{ trackId: 'a', records, leaveUs: 20_000_000 }], [], { spool });
const { spoolDirectory: spoolDir, masterKey, clock } = spool;
const desk = new FileDesk({ spoolDir, masterKey, lossConcealment: 'on', clock });
const order = { conversationId: 'room', recordingId: 'A', path, format: 'wav', stereo: true };
desk.follow(order);
const failures = [];
for (let timeUs = 0; timeUs < 20_000_000; timeUs += 200_000) {
  clock.advanceUs(200_000);
  recording.until(timeUs);
  recording.settle();
  failures.push(...desk.step(['A']));
}
recording.end(20_000_000);
const atEnd = await desk.complete(order).catch(({ code }) => code);
console.log(JSON.stringify({ failures, atEnd, faults: spool.messages.filter(({ event }) => event === 'fault') }));
`;

test('a disk that takes no more: one failure, a file that plays, and the whole of it once there is room', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'callreel-desk-'));
  try {
    const path = join(directory, 'files', 'a.wav');
    const command = `ulimit -f 600; exec "$0" --input-type=module-typescript -e "$1" "$2" "$3"`;
    const child = ['-c', command, process.execPath, script, directory, path];
    const { stdout } = await promisify(execFile)('sh', child, { timeout: 60_000 });
    const { failures, atEnd, faults } = JSON.parse(stdout);
    assert.deepEqual(faults, []);
    assert.equal(failures.length, 1);
    assert.deepEqual(
      [failures[0].recordingId, failures[0].error.code, atEnd],
      ['A', 'FILE_UNUSABLE', 'FILE_UNUSABLE'],
    );
    const beginning = parseWav(readFileSync(path)).data;
    assert.ok(beginning.length > 200_000 && beginning.length <= 307_200);

    const spoolDir = spoolDirectoryOf(directory);
    const desk = new FileDesk({
      spoolDir,
      masterKey: loadMasterKey(directory),
      lossConcealment: 'on',
      clock: systemClock,
    });
    await desk.complete({ conversationId: 'room', recordingId: 'A', path, format: 'wav', stereo: true });
    const { data } = parseWav(readFileSync(path));
    assert.equal(data.length, 20 * 8000 * 4);
    assert.ok(Buffer.from(data.subarray(0, beginning.length)).equals(beginning));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
