import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { manifestFile } from '../../src/spool/layout.ts';
import { readManifest } from '../../src/spool/reader.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import type { ConferenceBody } from './bodies.ts';
import { eventually } from './eventually.ts';
import type { HttpClient } from './http-client.ts';
import { clientOf, patternsIn } from './paused-conversation.ts';
import type { RecordingBody } from './recorder-stage.ts';
import { Audience, calledNumber } from './scene.ts';
import { saySecret } from './secret-payloads.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

interface RecordingEvent {
  recording_id: string;
  state: string;
  reason?: string;
  recorded_ms?: number;
}

suite('recorder: killed while it waits for consent', { concurrency: false }, () => {
  test('the server with its media worker', () => killed((server) => server.signal('SIGKILL')));
  test('the media worker', () => killed(undefined));
});

/** @param killServer undefined: it goes on without the worker */
async function killed(killServer: ((server: ServerProcess) => void) | undefined): Promise<void> {
  using folder = new TemporaryDataDir();
  const dataDir = folder.path;
  await using audience = await Audience.create();
  const settings = { CALLREEL_DRAIN_SECONDS: '0' };
  const start = () => ServerProcess.start({ dataDir, numbers: audience.numbers, settings });
  await using first = await start();
  audience.app.on('/status', () => ({}));
  const call = await audience.call(first.sipUri(calledNumber), [audience.join('killed')]);
  const recordings = await recordBoth(first, audience.app.url('/status'));
  const patterns = await saySecret(call, 3);
  for (const recording of recordings) await assertWaits(clientOf(first), dataDir, recording);
  for (const pid of first.workerPids) process.kill(pid, 'SIGKILL');
  killServer?.(first);
  const hungUp = audience.hangUp();
  if (killServer) await first.exited;
  await using second = killServer ? await start() : undefined;
  for (const { recording_id } of recordings) {
    const ended = await endOf(clientOf(second ?? first), recording_id);
    assert.deepEqual(
      [ended.reason, ended.recorded_ms, ended.duration_ms, ended.consents, ended.channels],
      ['no_consent', 0, 0, [], []],
    );
    const event = await eventually('its event', () =>
      audience.app
        .requests('/status')
        .map(({ body }) => body as RecordingEvent)
        .find((each) => each.recording_id === recording_id),
    );
    assert.deepEqual([event.state, event.reason, event.recorded_ms], ['finished', 'no_consent', 0]);
  }
  assert.equal(await patternsIn(dataDir, patterns), 0);
  const names = readdirSync(join(dataDir, 'spool'), { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    names.filter((name) => name.endsWith('.seg')),
    [],
  );
  await hungUp;
}

/** The call by itself, and the conference. */
async function recordBoth(server: ServerProcess, status_url: string): Promise<RecordingBody[]> {
  const [{ participants }] = await eventually('the conference', async () => {
    const { conferences } = await server.api<{ conferences: ConferenceBody[] }>('/v1/conferences');
    return conferences.length === 1 ? (conferences as [ConferenceBody]) : undefined;
  });
  const http = clientOf(server);
  const options = { consent: 'required', status_url, keep_consent_clip: true };
  const call = `/v1/connections/${participants[0]!.connection_id}/recordings`;
  return [
    (await http.json<RecordingBody>('POST', call, options)).body,
    (await http.json<RecordingBody>('POST', '/v1/conferences/killed/recordings', options)).body,
  ];
}

/** On disk, too; to ask for a file settles it. */
async function assertWaits(
  http: HttpClient,
  dataDir: string,
  { conversation_id, recording_id }: RecordingBody,
): Promise<void> {
  await http.bytes(`/v1/recordings/${recording_id}/download`);
  const [header] = readManifest(join(dataDir, 'spool', manifestFile(conversation_id, recording_id)));
  assert.ok(header?.type === 'header' && header.waitsFor === 'consent', JSON.stringify(header));
}

const endOf = (http: HttpClient, recordingId: string): Promise<RecordingBody> =>
  eventually('its end', async () => {
    const { body } = await http.get<RecordingBody>(`/v1/recordings/${recordingId}`);
    return body.state === 'ended' ? body : undefined;
  });
