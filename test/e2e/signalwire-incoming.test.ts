import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { validateRequest } from '@signalwire/web-api';
import { CallFailedError } from '../../src/testkit/call-failed-error.ts';
import { answer } from '../../src/testkit/callback-app.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import {
  askedNumber,
  inlineNumber,
  type RecordEvent,
  SignalwireStage,
  swmlPath,
} from './signalwire-stage.ts';

/** Calls to applications of this dialect: the signed request for a document, the answer, and what fails. */
const document = { version: '1.0.0', sections: { main: [{ answer: {} }, { sleep: 60_000 }] } };
const stage = await SignalwireStage.open({ inline: document });
after(() => stage[Symbol.asyncDispose]());

interface DocumentRequest {
  call: Record<string, unknown> & { headers: { name: string; value: string }[] };
  vars: object;
  envs: object;
  params: object;
}

const lastRequest = () => stage.scene.app.requests(swmlPath).at(-1)!;

suite('the request for a document', { concurrency: false }, () => {
  test('it describes the call, and the vendor’s own validator accepts it', async () => {
    stage.document = document;
    const call = await stage.call(askedNumber);
    const { rawBody, body, headers } = lastRequest();
    const { call: about, vars, envs, params } = body as DocumentRequest;
    const { accountId } = stage.scene.server.callreel.credentials;
    assert.match(String(about.call_id), /^[0-9a-f]{16}$/);
    assert.deepEqual(
      [about.direction, about.type, about.call_state, about.to, about.project_id],
      ['inbound', 'sip', 'created', askedNumber, accountId],
    );
    assert.equal(about.segment_id, about.call_id);
    for (const id of [about.space_id, about.node_id]) assert.match(String(id), /^[0-9a-f]{8}-/);
    assert.deepEqual([vars, envs, params], [{}, {}, {}]);
    const url = stage.scene.app.url(swmlPath);
    const text = rawBody.toString();
    const signature = String(headers['x-signalwire-signature']);
    assert.equal(validateRequest(stage.signingKey, signature, url, text), true);
    assert.equal(validateRequest('PSK_another', signature, url, text), false);
    assert.equal(
      headers['x-signalwire-sha256-signature'],
      createHmac('sha256', stage.signingKey).update(url).update(text).digest('hex'),
    );
    await call.hangUp();
  });

  test('the answer may be YAML, and an application may keep its document', async () => {
    stage.document = answer(
      200,
      'version: 1.0.0\nsections:\n  main:\n    - answer: {}\n    - sleep: 60000\n',
      {
        'content-type': 'application/yaml',
      },
    );
    await (await stage.call(askedNumber)).hangUp();
    await (await stage.call(inlineNumber)).hangUp();
  });

  test('the end of the document hangs up', async () => {
    stage.document = { version: '1.0.0', sections: { main: [{ answer: {} }] } };
    await (await stage.call(askedNumber)).ended;
  });

  test('what is no document, or does not come, refuses the call', async () => {
    for (const wrong of [
      answer(500, 'no'),
      answer(302, undefined, { location: 'http://127.0.0.1/' }),
      answer(200, ''),
    ]) {
      stage.document = wrong;
      await assert.rejects(stage.call(askedNumber), (error: unknown) => {
        assert.ok(error instanceof CallFailedError);
        assert.equal(error.sipStatus, 500);
        return true;
      });
    }
  });

  test('events are signed likewise, beside our own signatures', async () => {
    const record_call = { control_id: 'signed', status_url: stage.statusUrl };
    stage.document = { version: '1.0.0', sections: { main: [{ answer: {} }, { record_call }] } };
    await (await stage.call(askedNumber)).ended;
    const requests = await eventually('both events', () => {
      const found = stage.statusRequests('signed');
      return found.length === 2 ? found : undefined;
    });
    for (const { rawBody, headers } of requests) {
      const signature = String(headers['x-signalwire-signature']);
      assert.equal(validateRequest(stage.signingKey, signature, stage.statusUrl, rawBody.toString()), true);
      assert.match(String(headers['webhook-signature']), /^v1,/);
    }
    const ids = requests.map(({ headers }) => headers['webhook-id']);
    assert.equal(new Set(ids).size, 2, 'one event for each transition, each with an id of its own');
    const [begun, ended] = requests.map(({ body }) => body as RecordEvent);
    assert.deepEqual([begun?.params.state, ended?.params.state], ['recording', 'finished']);
    assert.match(String(begun?.event_channel), /^swml:[0-9a-f]{8}-[0-9a-f-]{27}$/);
    assert.equal(begun?.event_channel, ended?.event_channel);
  });
});

test('a voice that nobody here has: another one speaks, and the script knows', async () => {
  const told = Promise.withResolvers<unknown>();
  const url = stage.scene.handle('/voice', (body) => {
    told.resolve(body);
    return {};
  });
  const body = { error: '$' + '{script_error}', result: '$' + '{play_result}' };
  const main = [
    { play: { url: 'say:Hello.', say_voice: 'rime.spore' } },
    { request: { url, method: 'POST', body } },
  ];
  stage.document = { version: '1.0.0', sections: { main } };
  const call = await stage.call(askedNumber);
  assert.deepEqual(await told.promise, { error: 'relay_script_voice_unresolved', result: 'success' });
  await call.ended;
});

test('each door shows its own applications', async () => {
  const http = new HttpClient(stage.scene.server.callreel);
  const { body: native } = await http.get<{
    results: { app_id: string; dialect: string; numbers: string[] }[];
  }>('/v1/applications?dialect=signalwire');
  assert.deepEqual(
    native.results.map(({ numbers }) => numbers),
    [[inlineNumber], [askedNumber]],
  );
  const { body: sift } = await http.get<{ results: { app_id: string }[] }>('/v0/applications');
  const others = new Set(native.results.map(({ app_id }) => app_id));
  assert.ok(sift.results.length > 0);
  assert.ok(sift.results.every(({ app_id }) => !others.has(app_id)));
  const [first] = native.results;
  assert.equal((await http.get(`/v0/applications/${first?.app_id}`)).status, 404);
  assert.equal((await http.delete(`/v0/applications/${first?.app_id}`)).status, 404);
});
