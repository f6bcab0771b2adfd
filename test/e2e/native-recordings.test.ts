import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { eventually } from './eventually.ts';
import { type ErrorBody, HttpClient, type Page } from './http-client.ts';
import { Scene } from './scene.ts';

interface RecordingBody {
  recording_id: string;
  conversation_id: string;
  state: string;
  url: string;
  erased_at: string | null;
  started_at: string;
  mix: { wav_file: string };
  stereo_mix: { wav_file: string };
  channels: { channel_id: string; from: string; drift_ppm: number | null }[];
}

interface MarkBody {
  kind: string;
  at_ms: number;
  channel_id: string | null;
}

const annHz = 440;
const bobHz = 1000;
const scene = await Scene.open();
const http = new HttpClient(scene.server.callreel);
const annNumber = '+15550009001';
let first: RecordingBody;
let second: RecordingBody;

async function getRecording(recordingId: string): Promise<RecordingBody> {
  return (await http.get<RecordingBody>(`/v1/recordings/${recordingId}`)).body;
}

const list = async (query: string): Promise<string[]> =>
  (await http.get<Page<RecordingBody>>(`/v1/recordings${query}`)).body.results.map(
    ({ recording_id }) => recording_id,
  );

/** Ann says a tone, then Bob another one, in a conference with two recordings, one after the other. */
before(async () => {
  const ann = await scene.call([scene.join('room', { do_record: true })], { number: annNumber });
  await scene.participants('room', 1);
  const bob = await scene.call([scene.join('room')]);
  await scene.participants('room', 2);
  const [running] = await list('?state=recording');
  await ann.play(tone({ frequencyHz: annHz, durationMs: 400 }));
  await bob.play(tone({ frequencyHz: bobHz, durationMs: 400 }));
  const stop = `/v1/conferences/room/recordings/${running}/stop`;
  assert.equal((await http.post(stop)).status, 202);
  const early = await http.delete(`/v1/recordings/${running}`);
  assert.deepEqual([early.status, early.body?.error.code], [409, 'CONFLICT']);
  const more = await eventually('a second recording', async () => {
    const { body } = await http.post<RecordingBody>('/v1/conferences/room/recordings');
    if (body.recording_id === running) return undefined;
    const {
      mix: _mix,
      stereo_mix: _stereo,
      channels: _channels,
      ...rest
    } = await getRecording(body.recording_id);
    const withoutLink = ({ url, ...others }: { url: string }) => ({ ...others, url: url.split('?')[0] });
    assert.deepEqual(withoutLink(body), withoutLink(rest), 'answered as it is from then on');
    return body.recording_id;
  });
  await ann.play(tone({ frequencyHz: annHz, durationMs: 200 }));
  ann.hangUp();
  bob.hangUp();
  await scene.audience.ended({ conference_name: 'room' });
  first = await getRecording(running!);
  second = await getRecording(more);
});
after(() => scene[Symbol.asyncDispose]());

test('what happened in a recording comes by time, and a short call says nothing of its clocks', async () => {
  const { body } = await http.get<{ marks: MarkBody[]; truncated: boolean }>(
    `/v1/recordings/${first.recording_id}/marks`,
  );
  const channels = first.channels.map(({ channel_id }) => channel_id);
  const joins = body.marks.filter(({ kind }) => kind === 'join');
  assert.deepEqual(joins.map(({ channel_id }) => channel_id).sort(), channels.toSorted());
  assert.deepEqual(
    body.marks.map(({ at_ms }) => at_ms),
    body.marks.map(({ at_ms }) => at_ms).sort((a, b) => a - b),
  );
  assert.equal(body.truncated, false);
  assert.deepEqual(
    first.channels.map(({ drift_ppm }) => drift_ppm),
    channels.map(() => null),
  );
  assert.equal((await http.get<ErrorBody>('/v1/recordings/none/marks')).status, 404);
});

async function download(query: string): Promise<{ response: Response; bytes: Uint8Array }> {
  const { credentials, publicUrl } = scene.server.callreel;
  const pair = `${credentials.accountId}:${credentials.authToken.reveal()}`;
  const response = await fetch(`${publicUrl}/v1/recordings/${first.recording_id}/download${query}`, {
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
  });
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** Whether Ann and Bob are on this channel, anywhere. */
function heardOn(samples: Int16Array): string {
  const has = (frequencyHz: number) => {
    for (let at = 0; at + 800 <= samples.length; at += 400)
      // The whole span: of the edge of a tone alone nobody can tell its frequency.
      if (toneLevelDbov(samples, 8000, frequencyHz, { start: at, end: at + 800 }) > -25) return true;
    return false;
  };
  return [has(annHz) ? 'ann' : '', has(bobHz) ? 'bob' : ''].filter(Boolean).join('+');
}

suite('recordings by the native API', { concurrency: false }, () => {
  test('a download holds the channels that were asked for, and who is on them', async () => {
    const [ann, bob] = first.channels;
    for (const [channels, expected] of [
      ['mono', ['ann+bob']],
      ['stereo', ['ann', 'bob']],
      ['left', ['ann']],
      ['right', ['bob']],
      ['all', ['ann', 'bob']],
      [ann!.channel_id, ['ann']],
      [bob!.channel_id, ['bob']],
    ] as const) {
      const { response, bytes } = await download(`?channels=${channels}`);
      assert.equal(response.status, 200, channels);
      assert.equal(response.headers.get('content-type'), 'audio/wav');
      assert.match(
        response.headers.get('content-disposition') ?? '',
        new RegExp(`^attachment; filename="\\d{8}T\\d{6}Z-${first.recording_id}-${channels}\\.wav"$`),
      );
      assert.deepEqual(decodeWav(bytes).channels.map(heardOn), expected, channels);
    }
    const whole = await download('');
    assert.deepEqual(whole.bytes, (await download('?channels=mono&format=wav')).bytes);
    const { response } = await download('?channels=all');
    assert.equal(response.headers.get('callreel-channels'), `${ann!.channel_id}, ${bob!.channel_id}`);
  });

  test('MP3 of one channel', async () => {
    for (const channels of ['mono', 'left', 'right', first.channels[0]!.channel_id]) {
      const { response, bytes } = await download(`?format=mp3&channels=${channels}`);
      assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'audio/mpeg']);
      assert.equal(bytes.length, Number(response.headers.get('content-length')));
    }
  });

  const refused: [query: string, status: number, where: string][] = [
    ['?channels=quad', 400, 'querystring.channels'],
    ['?channels=', 400, 'querystring.channels'],
    ['?channels=stereo&channels=left', 400, 'querystring.channels'],
    ['?channels=0000000000000000', 404, '0000000000000000'],
    ['?format=ogg', 400, 'querystring.format'],
    ['?format=mp3&channels=all', 400, 'querystring.format'],
    ['?channel=left', 400, 'querystring.channel'],
  ];
  for (const [query, status, where] of refused)
    test(`no download: ${query}`, async () => {
      const { response, bytes } = await download(query);
      const { error } = JSON.parse(Buffer.from(bytes).toString()) as ErrorBody;
      assert.deepEqual([response.status, error.where], [status, where]);
      assert.equal(response.headers.get('content-disposition'), null);
    });

  test('lists are narrowed by state, conversation, time and party', async () => {
    const both = [second.recording_id, first.recording_id];
    assert.deepEqual(await list(''), both);
    assert.deepEqual(await list('?state=ended'), both);
    assert.deepEqual(await list('?state=recording'), []);
    assert.deepEqual(await list(`?conversation_id=${first.conversation_id}`), both);
    assert.deepEqual(await list('?conversation_id=none'), []);
    assert.deepEqual(await list(`?party=${encodeURIComponent(annNumber)}`), both);
    assert.deepEqual(await list('?party=%2B1'), []);
    assert.deepEqual(await list(`?started_from=${second.started_at}`), [second.recording_id]);
    assert.deepEqual(await list(`?started_to=${first.started_at}`), [first.recording_id]);
    const page = await http.get<Page<RecordingBody>>('/v1/recordings?limit=1');
    assert.deepEqual(await list(`?limit=1&cursor=${page.body.next}`), [first.recording_id]);
    for (const [query, where] of [
      ['?started_from=yesterday', 'started_from'],
      ['?limit=0', 'limit'],
      ['?limit=201', 'limit'],
      ['?erased=maybe', 'erased'],
      ['?colour=blue', 'colour'],
    ] as const) {
      const { status, body } = await http.get<ErrorBody>(`/v1/recordings${query}`);
      assert.deepEqual([status, body.error.where], [400, `querystring.${where}`]);
    }
  });

  test('an erased recording is gone, its neighbour is whole', async () => {
    const before = await fetch(second.mix.wav_file).then((answer) => answer.arrayBuffer());
    // Kept in memory by the render thread: that goes too.
    assert.equal((await download('?format=mp3')).response.status, 200);
    const { recording_id: recordingId, conversation_id: conversationId } = first;
    assert.equal((await http.delete(`/v1/recordings/${recordingId}`)).status, 204);
    for (const url of [
      `/v1/recordings/${recordingId}`,
      `/v1/recordings/${recordingId}/download?format=mp3`,
    ]) {
      const { status, body } = await http.get<ErrorBody>(url);
      assert.deepEqual([status, body.error.code], [410, 'RECORDING_ERASED']);
    }
    assert.equal((await fetch(first.mix.wav_file)).status, 410);
    const folder = join(scene.server.dataDir, 'spool', conversationId);
    assert.ok(existsSync(folder));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes(recordingId)),
      [],
    );
    const after = await fetch(second.mix.wav_file).then((answer) => answer.arrayBuffer());
    assert.deepEqual(after, before);
    assert.deepEqual(await list(''), [second.recording_id]);
    assert.deepEqual(await list('?erased=true'), [recordingId]);
    assert.deepEqual(await list('?erased=any'), [second.recording_id, recordingId]);
    const again = await http.delete(`/v1/recordings/${recordingId}`);
    assert.deepEqual([again.status, again.body?.error.code], [410, 'RECORDING_ERASED']);
  });

  test('the last one takes the folder with it', async () => {
    assert.equal((await http.delete(`/v1/recordings/${second.recording_id}`)).status, 204);
    assert.equal(existsSync(join(scene.server.dataDir, 'spool', second.conversation_id)), false);
    assert.equal((await http.delete('/v1/recordings/none')).status, 404);
  });

  test('the served document is the one of docs/, without authentication', async () => {
    const response = await fetch(`${scene.server.callreel.publicUrl}/v1/openapi.json`);
    assert.equal(response.status, 200);
    const { nativeDocument } = await import('../../src/api/native-document.ts');
    assert.deepEqual(await response.json(), JSON.parse(JSON.stringify(nativeDocument())));
  });
});
