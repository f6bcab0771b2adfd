import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { endRecording, getRecording, insertRecording } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import type { TranscriptState } from '../database/transcript-table.ts';
import { changeTranscript, insertTranscript } from '../database/transcripts.ts';
import { accountId, node, seal } from '../delivery/test-deliverer.ts';
import { CallreelError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import type { Utterance } from '../transcription/transcript.ts';
import { textOf } from '../transcripts/storable-transcript.ts';
import { testTranscript } from '../transcripts/test-transcript.ts';
import { TranscriptRows } from '../transcripts/transcript-rows.ts';
import { Transcripts } from '../transcripts/transcripts.ts';
import { createHttpServer } from './http-server.ts';
import { transcriptRoutes } from './transcript-routes.ts';

const clock = new FakeClock();
const rows = new TranscriptRows(node, clock);
const app = createHttpServer(silentLogger, clock);
let database: TemporaryDatabase;
let db: Db;
let kicks = 0;

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
  const transcriber = { interrupt: async () => undefined, kick: () => void kicks++ };
  transcriptRoutes(app, {
    ...{ accountId, db, transcripts: new Transcripts({ db, rows, seal, transcriber }) },
    recordingOf: async (recordingId) => {
      const row = await getRecording(db, accountId, recordingId);
      if (!row) throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
      return row;
    },
  });
  let minute = 0;
  await recording('aa00', ++minute);
  await recording('aa01', ++minute, 'done', [
    said(0, 8160, 'Login incorrect.'),
    {
      ...{ ...said(0, 12_000, 'Try again!'), confidence: 0.5 },
      words: [
        { text: 'Try', fromSample: 12_000, toSample: 12_400, confidence: 0.25 },
        { text: 'again!', fromSample: 12_480, toSample: 12_800 },
      ],
    },
    said(1, 16_000, 'This conference is locked!'),
  ]);
  await recording('aa02', ++minute, 'dead');
  await recording('aa03', ++minute, 'done', [said(0, 0, 'Is the conference locked?'), said(1, 800, 'Yes.')]);
  await recording('aa04', ++minute, 'waiting');
});

after(async () => {
  await app.close();
  await database.close();
});

const said = (channel: number, fromSample: number, text: string): Utterance => ({
  ...{ channel, fromSample, toSample: fromSample + 800, text },
});

async function recording(
  recordingId: string,
  minute: number,
  state?: TranscriptState,
  utterances?: Utterance[],
): Promise<void> {
  const startedAt = new Date(Date.UTC(2026, 10, 21, 10, minute));
  const ids = { recordingId, conversationId: `c${recordingId}`, accountId };
  await insertRecording(db, {
    ...{ ...ids, kind: 'conference', rateHz: 8000, startSample: 0, startedAt },
    ...{ sealedKey: 'sealed', spoolDir: '/spool', node },
  });
  const end = { reason: 'stopped', endSample: 8000, fileSamples: 8000, recordedSamples: 8000 };
  await endRecording(db, recordingId, { ...end, endedAt: new Date() });
  if (!state) return;
  await insertTranscript(db, { ...ids, node, locale: 'en-GB', createdAt: startedAt });
  const transcript = utterances && testTranscript(utterances);
  await changeTranscript(db, recordingId, {
    ...{ state, attempts: 1 },
    ...(transcript && { transcript, text: textOf(transcript) }),
    ...(state === 'dead' && { errorCode: 'TRANSCRIPTION_REFUSED', errorMessage: 'no such key' }),
  });
}

async function get(path: string) {
  const answer = await app.inject(path);
  return { status: answer.statusCode, body: answer.json() };
}

async function post(recordingId: string, payload?: object) {
  const url = `/v1/recordings/${recordingId}/transcribe`;
  const answer = await app.inject({ method: 'POST', url, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json() };
}

test('a transcript: what each said, by time, as lines, and what they are made of', async () => {
  const { body } = await get('/v1/recordings/aa01/transcript');
  assert.deepEqual(body, {
    ...{ recording_id: 'aa01', state: 'done', locale: 'en-GB', engine: 'url test', attempts: 1 },
    text: 'Login incorrect.\nTry again!\nThis conference is locked!',
    lines: [
      {
        ...{ speaker_label: 'Speaker 1', start_ms: 1020, end_ms: 1600 },
        text: 'Login incorrect. Try again!',
      },
      { speaker_label: 'Speaker 2', start_ms: 2000, end_ms: 2100, text: 'This conference is locked!' },
    ],
    utterances: [
      {
        ...{ speaker_label: 'Speaker 1', start_ms: 1020, end_ms: 1120, text: 'Login incorrect.' },
        ...{ confidence: null, words: null },
      },
      {
        ...{ speaker_label: 'Speaker 1', start_ms: 1500, end_ms: 1600, text: 'Try again!', confidence: 0.5 },
        words: [
          { text: 'Try', start_ms: 1500, end_ms: 1550, confidence: 0.25 },
          { text: 'again!', start_ms: 1560, end_ms: 1600, confidence: null },
        ],
      },
      {
        ...{ speaker_label: 'Speaker 2', start_ms: 2000, end_ms: 2100, text: 'This conference is locked!' },
        ...{ confidence: null, words: null },
      },
    ],
    channels: [
      { speaker_label: 'Speaker 1', channel_id: 'a' },
      { speaker_label: 'Speaker 2', channel_id: 'b' },
    ],
    duration_ms: 2000,
    ...{ marks: [], destination: null, error: null },
  });
  const dead = await get('/v1/recordings/aa02/transcript');
  assert.deepEqual(
    [dead.body.state, dead.body.text, dead.body.lines, dead.body.duration_ms, dead.body.error],
    ['dead', null, [], null, { code: 'TRANSCRIPTION_REFUSED', message: 'no such key' }],
  );
  assert.equal((await get('/v1/recordings/aa00/transcript')).status, 404);
  assert.equal((await get('/v1/recordings/unknown/transcript')).status, 404);
});

test('the list: the latest first, by state, by what was said and where, page by page', async () => {
  const idsOf = (body: { results: { recording_id: string }[] }) =>
    body.results.map(({ recording_id }) => recording_id);
  const all = await get('/v1/transcripts');
  assert.deepEqual(idsOf(all.body), ['aa04', 'aa03', 'aa02', 'aa01']);
  assert.deepEqual([all.body.next, all.body.previous], [null, null]);
  const dead = await get('/v1/transcripts?state=dead');
  assert.deepEqual(dead.body.results, [
    {
      ...{ recording_id: 'aa02', conversation_id: 'caa02', started_at: '2026-11-21T10:03:00.000Z' },
      ...{ state: 'dead', locale: 'en-GB', hits: [] },
      error: { code: 'TRANSCRIPTION_REFUSED', message: 'no such key' },
    },
  ]);
  const search = async (q: string) => (await get(`/v1/transcripts?q=${encodeURIComponent(q)}`)).body;
  const locked = await search('conference again');
  assert.deepEqual(idsOf(locked), ['aa01']);
  assert.deepEqual(locked.results[0].hits, [
    { offset_ms: 1500, speaker_label: 'Speaker 1', text: 'Try again!' },
    { offset_ms: 2000, speaker_label: 'Speaker 2', text: 'This conference is locked!' },
  ]);
  assert.deepEqual(idsOf(await search('"conference locked"')), ['aa03']);
  assert.deepEqual(idsOf(await search('locked -login')), ['aa03']);
  assert.deepEqual(idsOf(await search('refund')), []);

  const first = await get('/v1/transcripts?q=locked&limit=1');
  assert.deepEqual([idsOf(first.body), first.body.previous], [['aa03'], null]);
  const second = await get(`/v1/transcripts?q=locked&limit=1&cursor=${first.body.next}`);
  assert.deepEqual([idsOf(second.body), second.body.next], [['aa01'], null]);
  const back = await get(`/v1/transcripts?q=locked&limit=1&cursor=${second.body.previous}`);
  assert.deepEqual(idsOf(back.body), ['aa03']);
  assert.equal((await get('/v1/transcripts?state=lost')).status, 400);
  for (const q of ['', '%00']) assert.equal((await get(`/v1/transcripts?q=${q}`)).status, 400);
});

test('a phrase that several utterances say has its moment where it begins; what is left out has none', async () => {
  const utterances = [
    "I'd like",
    'a refund,',
    'please.',
    'A  refund',
    'example.com/a?b=1&c=2 it',
    'is. A',
    'a',
  ];
  await recording(
    'ab00',
    9,
    'done',
    utterances.map((text, at) => said(at % 2, at * 8000, text)),
  );
  const seconds = async (q: string) => {
    const { body } = await get(`/v1/transcripts?q=${encodeURIComponent(q)}`);
    const found = body.results.find(({ recording_id }: { recording_id: string }) => recording_id === 'ab00');
    return found?.hits.map(({ offset_ms }: { offset_ms: number }) => offset_ms / 1000);
  };
  for (const [q, offsets] of [
    ['"like a refund please"', [0]],
    ['"refund please"', [1]],
    ['"a refund"', [1, 3]],
    ['"please a refund example.com/a?b=1&c=2"', [2]],
    ['"refund please" like', [0, 1]],
    ['"refund please" or "it is"', [1, 4]],
    ['"it is" -"is it"', [4]],
    ['"a a"', [5]],
    ['please "example.com/a?b=1&c=2"', [2, 4]],
    ["i'd \\ ')", [0]],
    ['-nothing', []],
    ['"please refund"', undefined],
    ['refund -"it is"', undefined],
    ['!!! " :* <-> \'', undefined],
  ] as const)
    assert.deepEqual(await seconds(q), offsets, q);
  await db.deleteFrom('transcripts').where('recordingId', '=', 'ab00').execute();
});

test('transcribed once more, or for the first time', async () => {
  const again = await post('aa02', { locale: 'de-DE' });
  assert.equal(again.status, 202);
  assert.deepEqual([again.body.state, again.body.locale, again.body.error], ['waiting', 'de-DE', null]);
  const first = await post('aa00');
  assert.deepEqual([first.status, first.body.state, first.body.locale], [202, 'waiting', 'en-US']);
  assert.equal(kicks, 2);
  assert.equal((await post('aa02')).status, 409);
  assert.equal((await post('unknown')).status, 404);
  assert.equal((await post('aa01', { locale: 'no locale' })).status, 400);
  assert.equal((await post('aa01', { engine: 'url' })).status, 400);
  assert.equal(kicks, 2);
});
