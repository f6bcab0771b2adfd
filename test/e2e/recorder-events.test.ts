import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import type { CallbackRequest } from '../../src/testkit/request-log.ts';
import { eventually } from './eventually.ts';
import { annHz, RecorderStage, type RecordingBody, sayTone, whoIsIn } from './recorder-stage.ts';

/** `status_url`: each change of state is one signed event, in order, and the file plays when the last one comes. */
interface RecordingEvent {
  type: string;
  conversation_id: string;
  connection_id: string | null;
  conference: string;
  recording_id: string;
  state: string;
  control_id: string | null;
  client_state: unknown;
  at_ms: number;
  reason?: string;
  digit?: string | null;
  start_ms?: number;
  recorded_ms?: number;
}

const stage = await RecorderStage.open();
after(() => stage[Symbol.asyncDispose]());
const ann = await stage.join('events');
const client_state = { order: 4711 };
/** The file as it was when the terminal event came, by recording. */
const atEnd = new Map<string, Promise<Response>>();
const urls = new Map<string, string>();
const path = '/recording-events';
const status_url = stage.scene.handle<RecordingEvent>(path, (event) => {
  if (event.reason !== undefined) atEnd.set(event.recording_id, fetch(urls.get(event.recording_id)!));
  return {};
});

async function record(options: object = {}): Promise<RecordingBody> {
  const recording = await stage.record(ann, { status_url, client_state, ...options });
  urls.set(recording.recording_id, recording.url);
  return recording;
}

const requestsOf = ({ recording_id }: RecordingBody): CallbackRequest[] =>
  stage.scene.app.requests(path).filter(({ body }) => (body as RecordingEvent).recording_id === recording_id);

/** All events, once the last one has come. */
async function events(recording: RecordingBody): Promise<RecordingEvent[]> {
  return await eventually(`the end of ${recording.recording_id}`, () => {
    const all = requestsOf(recording).map(({ body }) => body as RecordingEvent);
    return all.some(({ reason }) => reason !== undefined) ? all : undefined;
  });
}

const post = (recording: RecordingBody, verb: string, body: object = {}) =>
  stage.post<RecordingBody>(`/v1/recordings/${recording.recording_id}/${verb}`, body);

suite('recorder: events', { concurrency: false }, () => {
  const states: [label: string, options: object, wanted: string[], reason: string][] = [
    ['stopped', {}, ['recording', 'finished'], 'stopped'],
    ['a beep', { beep: true }, ['recording', 'finished'], 'stopped'],
    ['its length', { max_length_ms: 300 }, ['recording', 'finished'], 'max_length'],
    ['no input', { initial_timeout_ms: 1 }, ['recording', 'no_input'], 'no_input'],
    ['a key', { terminators: '#' }, ['recording', 'finished'], 'terminator'],
    ['its speech', { end_silence_timeout_ms: 500, trim: true }, ['recording', 'finished'], 'end_silence'],
  ];

  test('one event for each state, in order, signed, and the file plays at the last one', async () => {
    const running: RecordingBody[] = [];
    for (const [, options] of states) running.push(await record(options));
    await stage.in(running[1]!, 'recording');
    await sayTone(ann, annHz);
    await ann.call.pressDigit('#');
    for (const [index, recording] of running.entries())
      if (index > 1) await stage.in(recording, 'ended');
      else await stage.stop(recording);
    for (const [index, [label, , wanted, reason]] of states.entries()) {
      const recording = await stage.get(running[index]!);
      const all = await events(recording);
      assert.deepEqual(
        all.map(({ state }) => state),
        wanted,
        label,
      );
      assertAlike(recording, all, reason);
      await assertPlayed(recording, label);
    }
  });

  test('pauses are told with their places; a pause in a pause, and a stop after a stop, are not told', async () => {
    const recording = await record();
    await sayTone(ann, annHz, 100);
    for (const verb of ['pause', 'pause', 'resume', 'resume', 'pause'])
      assert.equal((await post(recording, verb)).status, 200);
    await stage.stop(recording);
    await stage.stop(recording);
    const all = await events(recording);
    assert.deepEqual(
      all.map(({ state }) => state),
      ['recording', 'paused', 'recording', 'paused', 'finished'],
    );
    const places = all.map(({ at_ms }) => at_ms);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
    const [begun, paused, resumed, again] = places as [number, number, number, number];
    const { recorded_ms } = all.at(-1)!;
    const kept = paused - begun + (again - resumed);
    assert.ok(Math.abs(recorded_ms! - kept) <= 2, `${recorded_ms}, ${places}`);
    assertAlike(await stage.get(recording), all, 'stopped');
  });

  test('nothing of what waits; what is never begun ends once', async () => {
    const waiting = await record({ consent: 'required' });
    await sayTone(ann, annHz, 100);
    assert.deepEqual(requestsOf(waiting), []);
    await stage.stop(waiting);
    assert.deepEqual(
      (await events(waiting)).map(({ state, recorded_ms }) => [state, recorded_ms]),
      [['finished', 0]],
    );
  });

  test('of a conference, with its name; and none to nobody', async () => {
    const answer = await stage.post<RecordingBody>('/v1/conferences/events/recordings', {
      status_url,
      client_state,
    });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    const recording = await stage.get(answer.body);
    urls.set(recording.recording_id, recording.url);
    const silent = await stage.record(ann);
    await sayTone(ann, annHz);
    await stage.stop(recording);
    await stage.stop(silent);
    const all = await events(recording);
    assert.deepEqual(
      all.map(({ state, conference, connection_id }) => [state, conference, connection_id]),
      [
        ['recording', 'events', null],
        ['finished', 'events', null],
      ],
    );
    assert.deepEqual(requestsOf(silent), []);
  });

  test('the end of the call ends all of them, once', async () => {
    const plain = await record();
    const paused = await record({ control_id: 'paused' });
    const stopped = await record();
    await post(paused, 'pause');
    await sayTone(ann, annHz);
    // In the same tick, or about.
    await Promise.all([ann.call.hangUp(), post(stopped, 'stop')]);
    assert.deepEqual(
      (await events(plain)).map(({ state, reason }) => [state, reason]),
      [
        ['recording', undefined],
        ['finished', 'call_ended'],
      ],
    );
    assert.deepEqual(
      (await events(paused)).map(({ state, control_id }) => [state, control_id]),
      [
        ['recording', 'paused'],
        ['paused', 'paused'],
        ['finished', 'paused'],
      ],
    );
    const last = (await events(stopped)).filter(({ reason }) => reason !== undefined);
    assert.equal(last.length, 1);
    assert.ok(['stopped', 'call_ended'].includes(last[0]!.reason!));
    await assertPlayed(plain, 'call_ended');
    await assertPlayed(stopped, 'stopped');
    // Nothing comes behind the last word.
    for (const recording of [plain, paused, stopped])
      assert.equal((await events(recording)).filter(({ reason }) => reason !== undefined).length, 1);
  });
});

/** What every event of a recording says, and how it is signed. */
function assertAlike(recording: RecordingBody, all: RecordingEvent[], reason: string): void {
  const ids = new Set<string>();
  for (const { headers, rawBody } of requestsOf(recording)) {
    const [id, timestamp] = [String(headers['webhook-id']), String(headers['webhook-timestamp'])];
    ids.add(id);
    const secret = readFileSync(join(stage.scene.server.dataDir, 'webhook-secret'), 'utf8')
      .trim()
      .replace('whsec_', '');
    const hmac = createHmac('sha256', Buffer.from(secret, 'base64'));
    const signature = hmac.update(`${id}.${timestamp}.`).update(rawBody).digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${signature}`);
  }
  assert.equal(ids.size, all.length);
  for (const event of all) {
    assert.equal(event.type, 'recording.changed');
    assert.deepEqual(
      [event.conversation_id, event.connection_id, event.control_id, event.client_state],
      [recording.conversation_id, recording.connection_id, recording.control_id, client_state],
    );
  }
  const last = all.at(-1)!;
  assert.deepEqual(
    all.map((event) => event.reason),
    all.map((event) => (event === last ? reason : undefined)),
  );
  assert.deepEqual([last.recorded_ms, last.digit], [recording.recorded_ms, recording.digit]);
  // Places are rounded one by one.
  assert.ok(Math.abs(last.at_ms - last.start_ms! - recording.duration_ms!) <= 1);
}

async function assertPlayed({ recording_id, format }: RecordingBody, label: string): Promise<void> {
  const response = await atEnd.get(recording_id)!;
  assert.equal(response.status, 200, label);
  assert.equal(format, 'wav');
  const [samples] = decodeWav(new Uint8Array(await response.arrayBuffer())).channels;
  if (label !== 'no input' && label !== 'its length') assert.match(whoIsIn(samples!), /^ann/, label);
}
