import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { createLogger } from '../../src/logger.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import type { CallBody } from './call-bodies.ts';
import { decoded } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { audioSdp, HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { HttpClient, type Page } from './http-client.ts';
import { download, type PausedRecordingBody, patternsIn, type StatusEvent } from './paused-conversation.ts';
import { Scene } from './scene.ts';
import { digitsIn } from './unseal.ts';

const logged: string[] = [];
const log = createLogger('trace', { write: (line) => void logged.push(line) });
const scene = await Scene.open({ log });
const http = new HttpClient(scene.server.callreel);
const scratch = mkdtempSync(join(tmpdir(), 'callreel-traps-'));
after(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

const statusUrl = scene.handle('/status', () => ({}));
const terminalEvents = (recordingId: string) =>
  scene.app
    .requests('/status')
    .map(({ body }) => body as StatusEvent)
    .filter(({ recording_id, state }) => recording_id === recordingId && state === 'finished');

/** Of a call that waits in a conference. */
async function connectionOf(conferenceName: string): Promise<string> {
  return (await scene.participants(conferenceName, 1))[0]!.connection_id;
}

async function record(connectionId: string, wishes: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await http.json<PausedRecordingBody>(
    'POST',
    `/v1/connections/${connectionId}/recordings`,
    { status_url: statusUrl, ...wishes },
  );
  assert.equal(status, 201, JSON.stringify(body));
  const wanted = ({ recording_id, state }: StatusEvent) =>
    recording_id === body.recording_id && state === 'recording';
  await scene.app.waitFor<StatusEvent>('/status', wanted);
  return body.recording_id;
}

async function ended(recordingId: string): Promise<PausedRecordingBody> {
  return eventually('the end of the recording', async () => {
    const { body } = await http.get<PausedRecordingBody>(`/v1/recordings/${recordingId}`);
    return body.state === 'ended' ? body : undefined;
  });
}

/** Everything that was said since stands in the recording, bit for bit. */
async function assertWhole(recordingId: string, call: PhoneCall, from = 0): Promise<void> {
  const [said] = await download(http, recordingId, 'left', scratch);
  assertExactRun(said!, decoded(call, call.sentPayloads.slice(from)));
}

const words = (seed: number, ms = 400) => noise({ samples: 8 * ms, seed });

suite('recordings of calls', { concurrency: 2 }, () => {
  test('T7: the first and the last word are kept', async () => {
    const call = await scene.call([scene.join('T7')]);
    const recordingId = await record(await connectionOf('T7'));
    await call.play(words(1));
    await call.hangUp();
    assert.equal((await ended(recordingId)).reason, 'call_ended');
    await assertWhole(recordingId, call);
  });

  test('T13: keys pressed while it records leave it whole', async () => {
    const call = await scene.call([scene.join('T13')]);
    const recordingId = await record(await connectionOf('T13'));
    await call.play(words(2));
    const before = call.sentPayloads.length;
    for (const digit of ['1', '*', '7']) await call.pressDigit(digit);
    await call.play(words(3));
    await call.hangUp();
    const { conversation_id: roomId } = await ended(recordingId);
    const [said] = await download(http, recordingId, 'left', scratch);
    const first = decoded(call, call.sentPayloads.slice(0, before));
    const second = decoded(call, call.sentPayloads.slice(before));
    const [firstAt, secondAt] = [assertExactRun(said!, first), assertExactRun(said!, second)];
    const [head, tail] = [call.sentPayloads[0]!, call.sentPayloads[before]!];
    assert.equal(secondAt - firstAt, (tail.rtpTime - head.rtpTime) >>> 0);
    assert.ok(said!.subarray(firstAt + first.length, secondAt).every((sample) => sample === 0));
    assert.equal(digitsIn(scene.server.dataDir, roomId, recordingId), '1*7');
  });

  for (const order of ['stop first', 'hang-up first'] as const)
    test(`a stop in the same tick as the hang-up (${order}): one terminal event, and the last word`, async () => {
      const call = await scene.call([scene.join(order)]);
      const recordingId = await record(await connectionOf(order));
      await call.play(words(4));
      const stop = () => http.post(`/v1/recordings/${recordingId}/stop`);
      const both = order === 'stop first' ? [stop, () => call.hangUp()] : [() => call.hangUp(), stop];
      await Promise.all(both.map((act) => act()));
      const { reason } = await ended(recordingId);
      assert.ok(reason === 'stopped' || reason === 'call_ended', `${reason}`);
      await assertWhole(recordingId, call);
      await eventually('the terminal event', () => terminalEvents(recordingId)[0]);
      assert.equal((await http.post(`/v1/recordings/${recordingId}/stop`)).status, 200);
      // What is told next is told after whatever else there was to tell.
      const next = await scene.call([scene.join(`${order}, next`)]);
      const nextId = await record(await connectionOf(`${order}, next`));
      await next.hangUp();
      await eventually('the next terminal event', () => terminalEvents(nextId)[0]);
      assert.deepEqual(
        terminalEvents(recordingId).map((event) => event.reason),
        [reason],
      );
    });

  test('keys pressed while the call is paused reach the application, and nothing else', async () => {
    const secret = '7391628405';
    const control = '85';
    const answers: unknown[] = [];
    const on_done = scene.handle('/digits', (body) => {
      answers.push(body);
      return {};
    });
    const gather = { name: 'GetDigits', count: control.length + secret.length, on_done };
    scene.audience.routineFor(handPhoneName, [gather, scene.join('digits')]);
    const phone = await HandPhone.open(scene);
    const stream = await HandStream.open('PCMU', 77);
    await phone.request('INVITE', { body: audioSdp(stream.socket.port, 1) });
    phone.acknowledge();
    const callId = await eventually('the call', async () => {
      const { body } = await http.get<Page<{ call_id: string }>>(
        `/v1/calls?from=${encodeURIComponent(handPhoneName)}&limit=1`,
      );
      return body.results[0]?.call_id;
    });
    const recordingId = await record(callId, { terminators: '#' });
    const press = (digit: string) =>
      phone.request('INFO', {
        body: `Signal=${digit}\r\nDuration=163\r\n`,
        extra: ['Content-Type: application/dtmf-relay'],
      });
    await press(control[0]!);
    const paused = await http.json('POST', `/v1/recordings/${recordingId}/pause`, { scope: 'call' });
    assert.equal(paused.status, 200);
    for (const digit of secret) await press(digit);
    assert.equal((await http.post(`/v1/recordings/${recordingId}/resume`)).status, 200);
    await press(control[1]!);
    await eventually('the digits', () => answers[0]);
    assert.match(JSON.stringify(answers), new RegExp(`8${secret}5`));
    await phone.hangUp();
    stream.socket.close();
    const { conversation_id: roomId } = await ended(recordingId);
    assert.equal(digitsIn(scene.server.dataDir, roomId, recordingId), control);
    const call = await eventually('the call on record', async () => {
      const { body } = await http.get<CallBody>(`/v1/calls/${callId}`);
      return body.messages.some(({ method, status }) => method === 'BYE' && status === 200)
        ? body
        : undefined;
    });
    const infos = call.messages.filter(({ method, status }) => method === 'INFO' && status === null);
    assert.equal(infos.length, secret.length + control.length);
    for (const { text } of infos) assert.doesNotMatch(text, /Signal|Duration|163/);
    assert.equal(await patternsIn(scene.server.dataDir, [Buffer.from(secret), Buffer.from('Signal=')]), 0);
    assert.ok(logged.length > 0);
    for (const line of logged) assert.doesNotMatch(line, /Signal=|"digits?"/);
    assert.ok(!logged.join('\n').includes(secret));
  });
});
