import assert from 'node:assert/strict';
import { test } from 'node:test';
import { speech } from '../../src/testkit/speech.ts';
import type { ConversationBody } from './bodies.ts';
import { HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

test('recording.quality off: recordings have no figures, in any form, and nobody waits for them', async () => {
  await using scene = await Scene.open({ settings: { CALLREEL_RECORDING_QUALITY: 'off' } });
  const call = await scene.call([scene.join('unmeasured', { do_record: true })]);
  await call.play((await speech('english')).slice(0, 8000));
  await call.hangUp();
  const { conversation_id } = await scene.audience.ended({ conference_name: 'unmeasured' });
  const client = new HttpClient(scene.server.callreel);
  const { body: conversation } = await client.get<ConversationBody>(`/v0/conversations/${conversation_id}`);
  const [channel] = conversation.channels;
  for (const { snr, rt60, quality_note } of [conversation.audio!, channel!.audio])
    assert.deepEqual([snr, rt60, quality_note], [0, 0, 'not_measured']);
  const { body } = await client.get<{ results: { quality: unknown; state: string }[] }>(
    `/v1/recordings?conversation_id=${conversation_id}`,
  );
  assert.deepEqual(
    body.results.map(({ quality, state }) => [quality, state]),
    [[null, 'ended']],
  );
});
