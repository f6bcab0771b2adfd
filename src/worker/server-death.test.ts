import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep, systemClock } from '../clock.ts';
import { loadMasterKey } from '../spool/keys.ts';
import { openSpool, readTrack } from '../spool/reader.ts';
import { isRunning } from './test-server.ts';

describe('a media worker whose server was killed', () => {
  it('ends its recordings as interrupted, with all that was said, and ends itself', async () => {
    const script = fileURLToPath(new URL('./test-doomed-server.ts', import.meta.url));
    const server = fork(script, { execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    const [line] = await once(createInterface(server.stdout!), 'line');
    const { workerPid, spoolDir, recordingId } = JSON.parse(String(line));
    assert.equal(isRunning(workerPid), true);
    server.kill('SIGKILL');
    await once(server, 'exit');
    while (isRunning(workerPid)) await sleep(systemClock, 20);
    const recording = openSpool(join(spoolDir, 'room'), recordingId, loadMasterKey(spoolDir));
    assert.equal(recording.end?.reason, 'interrupted');
    const [track] = recording.tracks;
    assert.equal(track?.packets, 10);
    assert.equal([...readTrack(track!)].filter(({ kind }) => kind === 'packet').length, 10);
    rmSync(spoolDir, { recursive: true });
  });
});
