import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { noise } from '../../src/testkit/noise.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import { eventually } from './eventually.ts';
import { HttpClient, type Page } from './http-client.ts';
import { Audience, calledNumber, Scene } from './scene.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

interface RecordingBody {
  recording_id: string;
  state: string;
  url: string;
  mix: { wav_file: string };
  file: { state: string; path: string | null; reason: string | null } | null;
}

const headerBytes = 80;
const bytesPerMs = 16;
const refreshMs = 200;

/** Everything below a folder. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Milliseconds of audio that the header of a WAV file of 8 kHz lists, and of what is there behind them. The header is
 * written behind the audio, so who reads in between, or finds a file killed there, sees what is not listed yet; never
 * more listed than there is.
 */
function listedAudio(path: string): { listedMs: number; unlistedMs: number } {
  const bytes = readFileSync(path);
  assert.equal(bytes.toString('latin1', 0, 4), 'RIFF');
  assert.equal(bytes.toString('latin1', headerBytes - 8, headerBytes - 4), 'data');
  const listed = bytes.readUInt32LE(headerBytes - 4);
  const there = bytes.length - headerBytes;
  assert.ok(listed <= there, `${listed} bytes listed, ${there} there`);
  return { listedMs: listed / bytesPerMs, unlistedMs: (there - listed) / bytesPerMs };
}

async function bytesOf(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

function whenWritten(get: () => Promise<RecordingBody>): Promise<RecordingBody> {
  return eventually('the file of the recording', async () => {
    const body = await get();
    return body.file?.state === 'written' ? body : undefined;
  });
}

suite('files written along', { concurrency: true }, () => {
  test('a server killed in mid-call leaves a file that plays, and the next start makes it whole', async () => {
    using folder = new TemporaryDataDir();
    await using audience = await Audience.create();
    const files = join(folder.path, 'files');
    const settings = { CALLREEL_DRAIN_SECONDS: '0', CALLREEL_RECORDING_FILES_DIRECTORY: files };
    const { numbers } = audience;
    await using first = await ServerProcess.start({ dataDir: folder.path, numbers, settings });
    const command = audience.join('files', { do_record: true });
    const call = await audience.call(first.sipUri(calledNumber), [command]);
    const speaking = call.play(noise({ samples: 30_000 * 8, seed: 1 }));

    const hasHeader = (each: string): boolean => statSync(each).size >= headerBytes;
    const path = await eventually('the file', () => filesIn(files).find(hasHeader));
    assert.match(path.slice(files.length), /^\/\d{4}\/\d\d\/\d\d\/\d{14}-[0-9a-f]{16}\.wav$/);
    const seen = new Set<number>();
    await eventually('a file of two seconds', () => {
      const { listedMs, unlistedMs } = listedAudio(path);
      seen.add(listedMs);
      return (listedMs > 2000 && unlistedMs <= refreshMs) || undefined;
    });
    assert.ok(seen.size > 1, `it grew in ${seen.size} steps`);
    for (const pid of first.workerPids) process.kill(pid, 'SIGKILL');
    first.signal('SIGKILL');
    await first.exited;
    const lies = readFileSync(path);
    assert.ok(listedAudio(path).listedMs > 2000);
    const hungUp = audience.hangUp();
    await speaking;

    await using second = await ServerProcess.start({ dataDir: folder.path, numbers, settings });
    const recordingId = basename(path).slice(15, 31);
    const body = await whenWritten(() => second.api<RecordingBody>(`/v1/recordings/${recordingId}`));
    assert.equal(body.file?.path, path);
    const whole = readFileSync(path);
    assert.deepEqual(whole, await bytesOf(body.mix.wav_file));
    const audio = lies.subarray(headerBytes);
    assert.ok(whole.length > lies.length);
    assert.deepEqual(whole.subarray(headerBytes, lies.length), audio);
    assert.deepEqual(filesIn(files), [path]);
    second.signal('SIGTERM');
    await second.exited;
    await hungUp;
  });

  test('both sides of a call and of its room in MP3, whole soon after the end; erased, they are gone', async () => {
    using folder = new TemporaryDataDir();
    const settings = {
      CALLREEL_RECORDING_FILES_DIRECTORY: folder.path,
      CALLREEL_RECORDING_FILES_FORMAT: 'mp3',
      CALLREEL_RECORDING_FILES_STEREO: 'true',
    };
    await using scene = await Scene.open({ settings });
    const http = new HttpClient(scene.server.callreel);
    const call = await scene.call([scene.join('sides', { do_record: true })]);
    const [participant] = await scene.participants('sides', 1);
    const own = `/v1/connections/${participant!.connection_id}/recordings`;
    assert.equal((await http.json('POST', own, { format: 'mp3', stereo: true })).status, 201);
    await call.play(noise({ samples: 1500 * 8, seed: 2 }));
    await call.hangUp();
    const recordings = await eventually('both files', async () => {
      const { results } = (await http.get<Page<RecordingBody>>('/v1/recordings')).body;
      return results.length === 2 && results.every(({ file }) => file?.state === 'written')
        ? results
        : undefined;
    });
    for (const { recording_id, file } of recordings) {
      assert.ok(file!.path!.endsWith(`-${recording_id}.mp3`));
      assert.ok(readFileSync(file!.path!).length > 4000);
    }
    const ofCall = recordings.find(({ url }) => url.includes('.mp3'))!;
    assert.deepEqual(readFileSync(ofCall.file!.path!), await bytesOf(ofCall.url));
    for (const { recording_id } of recordings)
      assert.equal((await http.delete(`/v1/recordings/${recording_id}`)).status, 204);
    assert.deepEqual(filesIn(folder.path), []);
  });

  test('a disk that fails keeps nothing from being recorded; the file follows when there is room', async () => {
    using folder = new TemporaryDataDir();
    const files = join(folder.path, 'files');
    writeFileSync(files, 'no directory');
    await using scene = await Scene.open({ settings: { CALLREEL_RECORDING_FILES_DIRECTORY: files } });
    const http = new HttpClient(scene.server.callreel);
    const call = await scene.call([scene.join('full', { do_record: true })]);
    await call.play(noise({ samples: 1000 * 8, seed: 3 }));
    const one = async () => (await http.get<Page<RecordingBody>>('/v1/recordings')).body.results[0]!;
    const failed = await eventually('the failure on record', async () => {
      const body = await one();
      return body.file ? body : undefined;
    });
    assert.deepEqual(
      [failed.state, failed.file],
      ['recording', { state: 'failed', path: null, reason: 'FILE_UNUSABLE' }],
    );
    await call.hangUp();
    await scene.audience.ended({ conference_name: 'full' });
    rmSync(files);
    const { recording_id } = await whenWritten(one);
    const { body } = await http.get<RecordingBody>(`/v1/recordings/${recording_id}`);
    assert.deepEqual(readFileSync(body.file!.path!), await bytesOf(body.mix.wav_file));
  });

  test('consent withdrawn: no file is left', async () => {
    using folder = new TemporaryDataDir();
    await using scene = await Scene.open({ settings: { CALLREEL_RECORDING_FILES_DIRECTORY: folder.path } });
    const http = new HttpClient(scene.server.callreel);
    const call = await scene.call([scene.join('consent')]);
    const [participant] = await scene.participants('consent', 1);
    const own = `/v1/connections/${participant!.connection_id}/recordings`;
    const { body } = await http.json<RecordingBody>('POST', own, {});
    const speaking = call.play(noise({ samples: 1000 * 8, seed: 4 }));
    await eventually('the file', () => filesIn(folder.path)[0]);
    await speaking;
    assert.equal((await http.delete(`/v1/recordings/${body.recording_id}/consent`)).status, 204);
    assert.deepEqual(filesIn(folder.path), []);
    await call.hangUp();
  });
});
