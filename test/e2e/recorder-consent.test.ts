import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import {
  annHz,
  bobHz,
  RecorderStage,
  type RecordingBody,
  sayTone,
  secretHz,
  toneHz,
  wavChannels,
  wavSamples,
  whoIsIn,
} from './recorder-stage.ts';

/** `consent` and `control_id`, on calls that last. */
const stage = await RecorderStage.open();
after(() => stage[Symbol.asyncDispose]());
const room = 'consent';
const ann = await stage.join(room);
const bob = await stage.join(room, 2);
const required = { consent: 'required' };
const given = { method: 'dtmf', who: '+15558881188', audio_offset_ms: 4200, notice_ms: 3800 };

const consentPath = ({ recording_id }: RecordingBody) => `/v1/recordings/${recording_id}/consent`;

async function consent(recording: RecordingBody, body: object = given): Promise<RecordingBody> {
  const answer = await stage.post<RecordingBody>(consentPath(recording), body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

function filesOf({ conversation_id, recording_id }: RecordingBody): string[] {
  const folder = join(stage.scene.server.dataDir, 'spool', conversation_id);
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.includes(recording_id)) : [];
}

suite('recorder: consent and control ids', { concurrency: false }, () => {
  test('nothing is recorded before consent, all from then on; who gave it is on record', async () => {
    const plain = await stage.record(ann, { stereo: true });
    const waiting = await stage.record(ann, { ...required, stereo: true });
    const both = await stage.record(ann, { ...required, stereo: true, beep: true });
    const conference = await stage.post<RecordingBody>(`/v1/conferences/${room}/recordings`, required);
    for (const recording of [waiting, both, conference.body])
      assert.deepEqual(
        [(await stage.get(recording)).state, (await stage.get(recording)).consents],
        ['waiting', []],
      );
    await sayTone(ann, secretHz);
    await sayTone(bob, secretHz);
    assert.equal((await stage.get(waiting)).state, 'waiting');
    assert.equal((await fetch(waiting.url)).status, 202);
    const body = await consent(waiting);
    const { at, ...rest } = body.consents[0]!;
    assert.deepEqual(rest, { ...given, connection_ids: [ann.connectionId], clips: [] });
    assert.ok(!Number.isNaN(Date.parse(at)));
    await consent(both, { method: 'x', who: 'x' });
    await consent(conference.body, {
      method: 'x'.repeat(64),
      who: 'x'.repeat(256),
      audio_offset_ms: 0,
      notice_ms: 86_400_000,
    });
    for (const recording of [waiting, both, conference.body]) await stage.in(recording, 'recording');
    await sayTone(ann, annHz);
    await sayTone(bob, bobHz);
    assert.deepEqual(
      (await wavChannels(await stage.stop(waiting))).map(whoIsIn).map((who) => who.replace('+beep', '')),
      ['ann', 'bob'],
    );
    assert.deepEqual((await wavChannels(await stage.stop(both))).map(whoIsIn), ['ann', 'bob']);
    assert.equal(whoIsIn(await wavSamples(await stage.stop(conference.body))), 'ann+bob');
    const [said, heard] = await wavChannels(await stage.stop(plain));
    assert.deepEqual([whoIsIn(said!), whoIsIn(heard!)], ['ann+secret', 'bob+secret+beep']);
    assert.ok(toneLevelDbov(said!, 8000, toneHz) < -60);
  });

  test('consent that is not required is kept all the same, and changes nothing', async () => {
    const recording = await stage.record(ann);
    await sayTone(ann, annHz);
    const { audio_offset_ms, notice_ms, method, who } = (
      await consent(recording, { method: 'spoken', who: 'Ann' })
    ).consents[0]!;
    assert.deepEqual([method, who, notice_ms], ['spoken', 'Ann', null]);
    // Unless told, where it was given.
    assert.ok(audio_offset_ms !== null && audio_offset_ms >= 400);
    await sayTone(bob, bobHz);
    const ended = await stage.stop(recording);
    assert.equal(whoIsIn(await wavSamples(ended)), 'ann+bob');
    assert.equal(ended.consents[0]!.method, 'spoken');
    const { status, body } = await stage.post(consentPath(recording), given);
    assert.deepEqual([status, body.error.code], [409, 'CONFLICT']);
    assert.deepEqual((await stage.get(recording)).consents, ended.consents);
  });

  test('consent that is never given: stopped, it holds nothing', async () => {
    const recording = await stage.record(ann, required);
    await sayTone(ann, secretHz);
    const ended = await stage.stop(recording);
    assert.deepEqual([ended.recorded_ms, ended.duration_ms, ended.consents], [0, 0, []]);
    assert.equal(ended.reason, 'no_consent');
    assert.equal((await wavSamples(ended)).length, 0);
  });

  test('withdrawn: it ends and is erased while the call and its other recordings go on', async () => {
    const other = await stage.record(ann);
    const recording = await stage.record(ann, required);
    await consent(recording);
    await stage.in(recording, 'recording');
    await sayTone(ann, annHz);
    assert.notDeepEqual(filesOf(recording), []);
    const { status, body } = await stage.http.delete(consentPath(recording));
    assert.equal(status, 204, JSON.stringify(body));
    assert.deepEqual(filesOf(recording), []);
    assert.equal((await fetch(recording.url)).status, 410);
    const again = await stage.http.delete(consentPath(recording));
    assert.deepEqual([again.status, again.body?.error.code], [404, 'NOT_FOUND']);
    for (const verb of ['stop', 'pause', 'resume', 'consent']) {
      const answer = await stage.post(
        `/v1/recordings/${recording.recording_id}/${verb}`,
        verb === 'consent' ? given : {},
      );
      assert.deepEqual([answer.status, answer.body.error.code], [410, 'RECORDING_ERASED'], verb);
    }
    const waiting = await stage.record(ann, required);
    assert.equal((await stage.http.delete(consentPath(waiting))).status, 204);
    await sayTone(bob, bobHz);
    assert.equal(whoIsIn(await wavSamples(await stage.stop(other))), 'ann+bob');
  });

  test('control_id: one at a time, then another has it; each call and conference has its own', async () => {
    const named = { control_id: 'main' };
    const first = await stage.record(ann, named);
    const call = `/v1/connections/${ann.connectionId}/recordings`;
    const conference = `/v1/conferences/${room}/recordings`;
    const { status, body } = await stage.post(call, { ...named, format: 'mp3' });
    assert.deepEqual([status, body.error.code, body.error.where], [409, 'CONFLICT', 'control_id']);
    const others = [
      await stage.record(ann),
      await stage.record(ann),
      await stage.record(ann, { control_id: 'Main' }),
      await stage.record(bob, named),
      (await stage.post<RecordingBody>(conference, named)).body,
    ];
    assert.equal((await stage.post(conference, named)).body.error.code, 'CONFLICT');
    await stage.post(`/v1/recordings/${first.recording_id}/pause`);
    assert.equal((await stage.post(call, named)).status, 409);
    await stage.post(`/v1/recordings/${first.recording_id}/resume`);
    await sayTone(ann, annHz);
    const ended = await stage.stop(first);
    const second = await stage.record(ann, named);
    assert.notEqual(second.recording_id, first.recording_id);
    assert.equal(second.conversation_id, first.conversation_id);
    await sayTone(bob, bobHz);
    const endedToo = await stage.stop(second);
    assert.deepEqual([ended.control_id, endedToo.control_id], ['main', 'main']);
    assert.equal(whoIsIn(await wavSamples(ended)), 'ann');
    assert.equal(whoIsIn(await wavSamples(endedToo)), 'bob');
    for (const other of others) await stage.stop(other);
  });
});
