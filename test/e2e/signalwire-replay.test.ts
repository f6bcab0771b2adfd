import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { IncomingPhoneCall } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { askedNumber, type CallLeg, type RestRecording, SignalwireStage } from './signalwire-stage.ts';
import { utter } from './utterance.ts';

/**
 * Requests as the vendor's TypeScript SDK sent them (REST client 2.0.5), byte for byte but for what they name: the
 * call, the recording, and the two addresses.
 */
interface CapturedRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

const captured = JSON.parse(
  readFileSync(new URL('../data/signalwire/rest-requests.json', import.meta.url), 'utf8'),
) as CapturedRequest[];
const stage = await SignalwireStage.open({
  settings: { CALLREEL_ACCOUNT_ID: 'proj-1', CALLREEL_AUTH_TOKEN: 'tok-1' },
});
after(() => stage[Symbol.asyncDispose]());

/** What the captures name, as it is called here. */
const names = new Map<string, string>();

async function replay<Body>(wanted: string, body = ''): Promise<{ status: number; body: Body }> {
  const request = captured.find(
    (each) => `${each.method} ${each.path}` === wanted && (each.body ?? '').includes(body),
  );
  assert.ok(request, `${wanted} ${body} was not captured`);
  const here = (text: string) =>
    [...names].reduce((said, [theirs, ours]) => said.replaceAll(theirs, ours), text);
  const response = await fetch(stage.scene.server.callreel.publicUrl + here(request.path), {
    method: request.method,
    headers: request.headers,
    body: request.body === undefined ? undefined : here(request.body),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as Body };
}

const calls = 'POST /api/calling/calls';

test('every captured request has its effect on a live call', async () => {
  const answered = Promise.withResolvers<PhoneCall>();
  const phone = await stage.phone();
  phone.onCall = (incoming: IncomingPhoneCall) => answered.resolve(incoming.answer());
  names.set('sip:a@127.0.0.1', phone.sipUri);
  const dialled = await replay<CallLeg>(calls, '"dial"');
  assert.equal(dialled.status, 200, JSON.stringify(dialled.body));
  assert.deepEqual([dialled.body.from, dialled.body.to], ['+1', phone.sipUri]);
  // Its document has no step: the call is answered, and over.
  await (await answered.promise).ended;

  stage.document = { version: '1.0.0', sections: { main: [{ answer: {} }, { sleep: 60_000 }] } };
  const call = await stage.call(askedNumber);
  const { call: about } = stage.scene.app.requests('/swml').at(-1)!.body as { call: { call_id: string } };
  names.set('3fa85f64-5717-4562-b3fc-2c963f66afa6', about.call_id);
  names.set('http://x', stage.statusUrl);
  const expect = async (command: string, count: number, state: string) => {
    const { status, body } = await replay<CallLeg>(calls, `"${command}"`);
    assert.deepEqual([status, body.id], [200, about.call_id], JSON.stringify(body));
    const told = await stage.statuses('main', count);
    assert.deepEqual([told.length, told.at(-1)?.params.state], [count, state]);
    return told.at(-1)!;
  };
  await expect('calling.record', 1, 'recording');
  const paused = await expect('calling.record.pause', 2, 'paused');
  assert.equal(paused.params.pause_behavior, 'silence');
  await expect('calling.record.resume', 3, 'recording');
  await utter(call, tone({ frequencyHz: partyTonesHz[0], durationMs: 200 }));
  const finished = await expect('calling.record.stop', 4, 'finished');
  assert.equal((await stage.file(finished)).channels.length, 2);
  assert.equal((await replay(calls, '"calling.end"')).status, 200);
  await call.ended;

  const { recording_id } = finished.params;
  names.set('rec-1', recording_id);
  const list = await replay<{ data: RestRecording[] }>('GET /api/relay/rest/recordings?page_size=10');
  assert.deepEqual(
    list.body.data.map(({ id }) => id),
    [recording_id],
  );
  const one = await replay<RestRecording>('GET /api/relay/rest/recordings/rec-1');
  assert.deepEqual([one.status, one.body.id, one.body.byte_size], [200, recording_id, finished.params.size]);
  assert.equal((await replay('DELETE /api/relay/rest/recordings/rec-1')).status, 204);
  assert.equal((await replay('GET /api/relay/rest/recordings/rec-1')).status, 404);
});
