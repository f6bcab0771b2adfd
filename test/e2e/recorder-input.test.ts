import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { ErrorBody, Page } from './http-client.ts';
import { RecorderStage, type RecordingBody } from './recorder-stage.ts';

/** What is refused, by the name of its field, on a live call; and that nothing is recorded then. */
const stage = await RecorderStage.open();
after(() => stage[Symbol.asyncDispose]());
const room = 'input';
const ann = await stage.join(room);
const call = `/v1/connections/${ann.connectionId}/recordings`;
const conference = `/v1/conferences/${room}/recordings`;

const day = 86_400_000;
const urlOf = (length: number) => 'https://app.example.com/'.padEnd(length, 'x');
const flags = ['yes', 1, null, [true]];
const choices = ['', 'WAV', 1, true, null, ['wav']];
const timers = [-1, 0.5, day + 1, 1e300, '1000', true, null, [1000]];

/** Of each field: beyond its range on either side, and wrong typed. */
const refused: Record<string, readonly unknown[]> = {
  format: [...choices, 'ogg', 'mp3 '],
  stereo: flags,
  direction: [...choices, 'left'],
  terminators: ['x', '1,2', ' ', 'a', '0123456789*#ABCDE', '0'.repeat(17), 5, null, ['#']],
  beep: flags,
  warning_tone_interval_ms: [0, 999, 1000.5, day + 1, '1000', null, true],
  input_sensitivity: [-1, -0.001, 100.001, 101, '44', null, true, [44]],
  initial_timeout_ms: timers,
  end_silence_timeout_ms: timers,
  max_length_ms: timers,
  trim: flags,
  consent: [...choices, 'Required', 'none'],
  notice_text: ['', 'x'.repeat(5001), 5, null, ['x']],
  notice_url: ['', 'app', 'ftp://app.example.com/', urlOf(2001), 5, null],
  keep_consent_clip: [...flags, true],
  control_id: ['', 'x'.repeat(256), 5, null, ['main']],
  status_url: ['', 'app', 'ftp://app.example.com/', 'file:///etc/passwd', urlOf(2001), 5, null],
  client_state: [5, true, null, ['a'], 'x'.repeat(4095), { text: 'x'.repeat(4086) }],
  colour: ['blue', null],
};

/** The ends of the ranges; what they do is proven where the option is. */
const taken: Record<string, readonly unknown[]> = {
  terminators: ['', '0123456789*#ABCD', '#'.repeat(16)],
  warning_tone_interval_ms: [1000, day],
  input_sensitivity: [0, 0.5, 100],
  initial_timeout_ms: [0, day],
  end_silence_timeout_ms: [0, day],
  max_length_ms: [0, day],
  control_id: ['x', 'x'.repeat(255)],
  status_url: [urlOf(2000), 'http://app.example.com/'],
  client_state: ['', 'x'.repeat(4094), {}, { text: 'x'.repeat(4085) }],
};

async function assertRefused(path: string, body: unknown, where: string): Promise<void> {
  const { status, body: answer } = await stage.post(path, body);
  assert.deepEqual([status, answer.error?.code], [400, 'REQUEST_INVALID'], JSON.stringify(body));
  assert.equal(answer.error.where, where, JSON.stringify(body));
  assert.ok(answer.error.message !== '' && answer.error.blame === 'caller');
}

async function recordings(): Promise<RecordingBody[]> {
  return (await stage.http.get<Page<RecordingBody>>('/v1/recordings?limit=200')).body.results;
}

suite('recorder: what is asked for', { concurrency: false }, () => {
  for (const [field, values] of Object.entries(refused))
    test(`refused: ${field}`, async () => {
      for (const path of [call, conference])
        for (const value of values) await assertRefused(path, { [field]: value }, `body.${field}`);
    });

  test('refused: fields that do not go together', async () => {
    for (const path of [call, conference]) {
      await assertRefused(path, { notice_text: 'x', notice_url: urlOf(30) }, 'body.notice_url');
      for (const notice_voice of ['', 'x'.repeat(129), 5, null])
        await assertRefused(path, { notice_text: 'x', notice_voice }, 'body.notice_voice');
      await assertRefused(path, { notice_voice: 'slt' }, 'body.notice_voice');
    }
  });

  test('refused: a body that is no object', async () => {
    for (const body of [[], 'beep', 5, true]) await assertRefused(call, body, 'body');
    const { status, body } = await stage.http.form<ErrorBody>('POST', call, { beep: 'true' });
    assert.deepEqual([status, body.error.blame], [400, 'caller']);
  });

  test('of several mistakes one is named, and nothing else is done', async () => {
    const { status } = await stage.post(call, { beep: true, format: 'ogg', max_length_ms: 'x' });
    assert.equal(status, 400);
    assert.deepEqual(await recordings(), []);
  });

  test('no such call, no such conference', async () => {
    for (const path of ['/v1/connections/0000000000000000/recordings', '/v1/conferences/none/recordings'])
      assert.equal((await stage.post(path)).body.error.code, 'NOT_FOUND');
  });

  for (const [field, values] of Object.entries(taken))
    test(`taken: ${field} at the ends of its range`, async () => {
      for (const value of values) {
        const recording = await stage.record(ann, { [field]: value });
        const { control_id, client_state } = recording;
        const said: Record<string, unknown> = { control_id, client_state };
        if (field in said) assert.deepEqual(said[field], value);
        await stage.stop(recording);
      }
    });

  test('without a body, with an empty one, and as the answer says it', async () => {
    const plain = (await stage.http.post<RecordingBody>(call)).body;
    const empty = await stage.record(ann);
    for (const recording of [plain, empty]) {
      const { format, stereo, client_state, control_id, connection_id, consents, state } = recording;
      assert.deepEqual(
        [format, stereo, client_state, control_id, connection_id, consents],
        ['wav', false, null, null, ann.connectionId, []],
      );
      assert.ok(state === 'waiting' || state === 'recording', state);
      await stage.stop(recording);
    }
  });

  test('pause, consent: what is refused, and by which field', async () => {
    const recording = await stage.record(ann);
    const path = `/v1/recordings/${recording.recording_id}`;
    for (const behaviour of [...choices, 'cut'])
      await assertRefused(`${path}/pause`, { behaviour }, 'body.behaviour');
    for (const scope of [...choices, 'leg']) await assertRefused(`${path}/pause`, { scope }, 'body.scope');
    await assertRefused(`${path}/pause`, { colour: 'blue' }, 'body.colour');
    const consent = { method: 'dtmf', who: 'Ann' };
    for (const [field, values] of Object.entries({
      method: [undefined, '', 'x'.repeat(65), 5, null],
      who: [undefined, '', 'x'.repeat(257), 5, null],
      audio_offset_ms: [-1, 0.5, day + 1, '5', null],
      notice_ms: [-1, 0.5, day + 1, '5', null],
      connection_id: ['', 5, null],
      at: ['2026-09-14T08:30:00.000Z'],
    }))
      for (const value of values)
        await assertRefused(`${path}/consent`, { ...consent, [field]: value }, `body.${field}`);
    const now = await stage.get(recording);
    assert.deepEqual([now.state, now.consents], ['recording', []]);
    await stage.stop(recording);
  });

  test('a key: one recording, however often it is asked for', async () => {
    const before = (await recordings()).length;
    const send = (key: string, body: unknown) => stage.http.keyed<RecordingBody>(key, 'POST', call, body);
    for (const key of ['x', 'x'.repeat(255)]) {
      const answers = await Promise.all([send(key, {}), send(key, {}), send(key, {})]);
      const [first] = answers;
      for (const { status, body } of answers) assert.deepEqual([status, body], [201, first!.body]);
      assert.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length, 2);
      const other = (await send(key, { beep: true })) as unknown as { status: number; body: ErrorBody };
      assert.deepEqual([other.status, other.body.error.code], [422, 'IDEMPOTENCY_KEY_REUSED']);
      await stage.stop(first!.body);
    }
    for (const key of ['', 'x'.repeat(256), 'gr\u00f6\u00dfer']) {
      const { status, body } = (await send(key, {})) as unknown as { status: number; body: ErrorBody };
      assert.deepEqual([status, body.error.where], [400, 'headers.idempotency-key'], key);
    }
    assert.equal((await recordings()).length, before + 2);
  });
});
