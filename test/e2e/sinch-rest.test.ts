import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { SinchErrorBody } from '../../src/dialects/sinch/errors.ts';
import { parseSipUri } from '../../src/sip/uri.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { eventually } from './eventually.ts';
import type { HttpAnswer } from './http-client.ts';
import { SinchStage } from './sinch-stage.ts';
import { isHeard, speak } from './verb-stage.ts';

/** Sinch's doors beyond what the vendor's client calls: our own store, other applications, what is wrong. */
const stage = await SinchStage.open({ settings: { CALLREEL_SINCH_DEFAULT_DESTINATION: 'sdrive://' } });
const { publicUrl, credentials } = stage.scene.server.callreel;
after(() => stage[Symbol.asyncDispose]());

const owner = { applicationKey: credentials.accountId, applicationSecret: credentials.authToken.reveal() };
const other = await newApplication();
const cli = '+12015555555';
let lastSeed = 8000;

type Keys = SinchStage['keys'];

async function newApplication(): Promise<Keys> {
  const given = { dialect: 'sinch', name: 'other' };
  const { body } = await stage.http.json<{ app_id: string; secret: string }>(
    'POST',
    '/v1/applications',
    given,
  );
  return { applicationKey: body.app_id, applicationSecret: body.secret };
}

function authorization({ applicationKey, applicationSecret }: Keys): Record<string, string> {
  return {
    authorization: `Basic ${Buffer.from(`${applicationKey}:${applicationSecret}`).toString('base64')}`,
  };
}

async function ask<Body = SinchErrorBody>(
  method: string,
  path: string,
  given?: unknown,
  keys: Keys = stage.keys,
): Promise<HttpAnswer<Body>> {
  const response = await fetch(new URL(path, publicUrl), {
    method,
    headers: { ...authorization(keys), 'content-type': 'application/json' },
    body: given === undefined ? undefined : JSON.stringify(given),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

/** As HTTP status and code. */
async function refusal(...asked: Parameters<typeof ask>): Promise<[number, number]> {
  const { status, body } = await ask(...asked);
  assert.ok(body.message.length > 0 && body.reference.length > 0, JSON.stringify(body));
  return [status, body.errorCode];
}

interface Stored {
  key: string;
  url: string;
  createdOn: string;
  expiresOn: string | null;
  headers: Record<string, string>;
}

const list = async (query = '', keys = stage.keys) =>
  (await ask<Stored[]>('GET', `/calling/v1/recording${query}`, undefined, keys)).body;

suite('our own store', { concurrency: false }, () => {
  test('two applications with one name have a file each', async () => {
    const options = { destinationUrl: 'sdrive://ours.wav', format: 'wav' };
    const document = { instructions: [{ name: 'startRecording', options }], action: { name: 'park' } };
    const contents: Buffer[] = [];
    const applications: (typeof stage.keys)[] = [];
    for (const [index, number] of ['3101', '3102'].entries()) {
      const { body } = await stage.http.json<{ app_id: string; secret: string }>('POST', '/v1/applications', {
        ...{ dialect: 'sinch', numbers: [number], document },
      });
      const keys = { applicationKey: body.app_id, applicationSecret: body.secret };
      applications.push(keys);
      const phone = await stage.phone();
      const call = await phone.call(stage.scene.server.sipUri(number));
      await speak(call, 4000 * (index + 1), lastSeed++);
      await call.hangUp();
      await eventually('the file', async () => (await list('', keys)).length === 1 || undefined);
    }
    for (const keys of applications) {
      const [stored] = await list('', keys);
      assert.equal(stored?.key, 'ours.wav');
      const byLink = Buffer.from(await (await fetch(stored.url)).arrayBuffer());
      const url = `${publicUrl}/calling/v1/recording/ours.wav`;
      const byKey = await fetch(url, { headers: authorization(keys) });
      assert.deepEqual(Buffer.from(await byKey.arrayBuffer()), byLink);
      contents.push(byLink);
    }
    const [first, second] = contents;
    assert.ok(first && second && !first.equals(second));
    const [one, two] = applications;
    assert.equal((await ask('DELETE', '/calling/v1/recording/ours.wav', undefined, one)).status, 200);
    assert.deepEqual([(await list('', one)).length, (await list('', two)).length], [0, 1]);
    await ask('DELETE', '/calling/v1/recording/ours.wav', undefined, two);
  });

  test('a recording is listed, fetched by link and by key, and deleted', async () => {
    const call = await stage.call({
      ice: {
        instructions: [
          { name: 'answer' },
          { name: 'startRecording', options: { destinationUrl: 'sdrive://folder/mine.wav', format: 'wav' } },
        ],
        action: { name: 'park' },
      },
    });
    const callId = await stage.callIdOf(call);
    const said = await speak(call, 4000, lastSeed++);
    await call.hangUp();
    const { destination } = await stage.told(callId, 'notify', 'recording_available');
    assert.equal(destination, `${publicUrl}/calling/v1/recording/mine.wav`);
    const [stored, ...others] = await list();
    assert.ok(stored);
    assert.deepEqual(others, []);
    assert.deepEqual([stored.key, stored.expiresOn], ['mine.wav', null]);
    assert.equal(stored.headers['content-type'], 'audio/wav');
    const link = await fetch(stored.url);
    assert.deepEqual([link.status, link.headers.get('content-type')], [200, 'audio/wav']);
    const bytes = new Uint8Array(await link.arrayBuffer());
    assert.deepEqual(
      [String(bytes.length), link.headers.get('content-length')],
      [stored.headers['content-length'], String(bytes.length)],
    );
    const [samples] = decodeWav(bytes).channels;
    assert.ok(samples && isHeard(samples, said));
    const byKey = await fetch(String(destination), { headers: authorization(stage.keys) });
    assert.deepEqual(new Uint8Array(await byKey.arrayBuffer()), bytes);
    const path = '/calling/v1/recording/mine.wav';
    assert.deepEqual(await refusal('GET', path, undefined, other), [404, 40400]);
    assert.deepEqual(await refusal('DELETE', path, undefined, other), [404, 40400]);
    assert.deepEqual(await list('', other), []);
    assert.equal((await list('', owner)).length, 1);
    const forged = await fetch(stored.url.replace(/signature=./, 'signature=!'));
    assert.equal(((await forged.json()) as SinchErrorBody).errorCode, 40301);
    assert.deepEqual(await ask('DELETE', path).then(({ status, body }) => [status, body]), [200, {}]);
    assert.deepEqual(await refusal('GET', path), [404, 40400]);
    assert.deepEqual(await refusal('DELETE', path), [404, 40400]);
    assert.equal((await fetch(stored.url)).status, 404);
    assert.deepEqual(await list(), []);
  });

  test('pages and times', async () => {
    const before = new Date();
    const record = async () => {
      const action = { name: 'park', record: true };
      const call = await stage.call({ ice: { instructions: [{ name: 'answer' }], action } });
      const callId = await stage.callIdOf(call);
      await speak(call, 800, lastSeed++);
      await call.hangUp();
      await stage.told(callId, 'notify', 'recording_available');
    };
    await Promise.all([record(), record(), record()]);
    const all = await list();
    assert.equal(all.length, 3);
    assert.match(all[0]!.key, new RegExp(`^\\d{14}_${stage.keys.applicationKey}_[0-9a-f]{16}\\.mp3$`));
    const pages = [await list('?page=1&pageSize=2'), await list('?page=2&pageSize=2')];
    assert.deepEqual(
      pages.flat().map(({ key }) => key),
      all.map(({ key }) => key),
    );
    assert.equal((await list(`?from=${before.toISOString()}`)).length, 3);
    assert.equal((await list(`?to=${before.getTime()}`)).length, 0);
    assert.deepEqual(await refusal('GET', '/calling/v1/recording?page=0'), [400, 40001]);
    assert.deepEqual(await refusal('DELETE', '/calling/v1/recording/'), [400, 40002]);
  });
});

suite('calls of others', { concurrency: true }, () => {
  test('an application has its own calls, the owner all; both spellings', async () => {
    const call = await stage.call({ ice: { instructions: [{ name: 'answer' }], action: { name: 'park' } } });
    const callId = await stage.callIdOf(call);
    for (const spelling of ['call', 'calls']) {
      const path = `/calling/v1/${spelling}/id/${callId}`;
      const { body } = await ask<{ callId: string; status: string }>('GET', path);
      assert.deepEqual([body.callId, body.status], [callId, 'ONGOING']);
      assert.equal((await ask('GET', path, undefined, owner)).status, 200);
      assert.deepEqual(await refusal('GET', path, undefined, other), [404, 40400]);
      const hangUp = { action: { name: 'hangup' } };
      assert.deepEqual(await refusal('PATCH', path, hangUp, other), [404, 40400]);
      assert.deepEqual(await refusal('PATCH', `${path}/leg/caller`, hangUp, other), [404, 40400]);
      assert.equal((await stage.http.get(path)).status, 200, 'by the token as it is');
    }
    assert.equal(
      (await ask('PATCH', `/calling/v1/call/id/${callId}`, { action: { name: 'hangup' } }, owner)).status,
      200,
    );
    await call.ended;
  });

  test('what a routine serves is no call of this dialect', async () => {
    const { server } = stage.scene;
    const leg = await stage.scene.call([stage.scene.join('sift')]);
    const [live] = await stage.scene.participants('sift', 1);
    assert.deepEqual(
      await refusal('GET', `/calling/v1/calls/id/${live!.connection_id}`, undefined, owner),
      [404, 40400],
    );
    assert.ok(server);
    await leg.hangUp();
  });
});

suite('configuration of others', { concurrency: false }, () => {
  test('an application changes itself alone, the owner all', async () => {
    const numbers = '/v1/configuration/numbers';
    const number = '+12025550177';
    const mine = { numbers: [number] };
    assert.equal((await ask('POST', numbers, mine)).status, 200);
    assert.deepEqual(await refusal('POST', numbers, mine, other), [400, 40003]);
    assert.deepEqual(await refusal('DELETE', numbers, { number }, other), [400, 40003]);
    const theirs = { ...mine, applicationkey: stage.keys.applicationKey };
    assert.deepEqual(await refusal('POST', numbers, theirs, other), [404, 40400]);
    const seen = async (keys: Keys) =>
      (
        await ask<{ numbers: { number: string; applicationkey?: string }[] }>('GET', numbers, undefined, keys)
      ).body.numbers.find((each) => each.number === number)?.applicationkey;
    assert.deepEqual(
      [await seen(stage.keys), await seen(other), await seen(owner)],
      [stage.keys.applicationKey, undefined, stage.keys.applicationKey],
    );
    assert.equal(
      (await ask('POST', numbers, { ...mine, applicationkey: other.applicationKey }, owner)).status,
      200,
    );
    assert.equal(await seen(other), other.applicationKey);
    assert.equal((await ask('POST', numbers, mine, owner)).status, 200);
    assert.equal(await seen(owner), owner.applicationKey, 'the account is an application too');
    const callbacks = (key: string) => `/v1/configuration/callbacks/applications/${key}`;
    const url = { primary: 'https://app.example/voice' };
    assert.deepEqual(
      await refusal('POST', callbacks(stage.keys.applicationKey), { url }, other),
      [404, 40400],
    );
    assert.deepEqual(
      await refusal('GET', callbacks(stage.keys.applicationKey), undefined, other),
      [404, 40400],
    );
    assert.deepEqual(await refusal('POST', callbacks('nobody'), { url }, owner), [404, 40400]);
    assert.equal((await ask('POST', callbacks(owner.applicationKey), { url }, owner)).status, 200);
    assert.deepEqual((await ask('GET', callbacks(owner.applicationKey), undefined, owner)).body, { url });
    assert.deepEqual(
      await refusal('POST', callbacks(other.applicationKey), { url: { primary: 'ftp://x' } }, other),
      [400, 40001],
    );
    assert.deepEqual(await refusal('POST', callbacks(other.applicationKey), {}, other), [400, 40002]);
    const { body } = await ask<{ number: { restricted: boolean } }>(
      'GET',
      '/v1/calling/query/number/%2B12025550123',
    );
    assert.equal(body.number.restricted, true, 'no trunk reaches it');
  });
});

suite('callouts', { concurrency: true }, () => {
  test('ICE is asked where nobody is named, and says who is called; what it records begins at the answer', async () => {
    const { phone, call } = await stage.called();
    const greeting = stage.prompt(4000);
    const custom = 'asked';
    const sip = { name: 'connectSip', destination: { type: 'sip', endpoint: phone.sipUri.slice(4) } };
    const cookie = { name: 'setCookie', key: 'order', value: '7' };
    stage.scriptFor(custom, {
      ice: { instructions: [cookie], action: { ...sip, record: true, recordingOptions: { format: 'wav' } } },
      ace: { instructions: [{ name: 'playFiles', ids: [greeting.url] }], action: { name: 'hangup' } },
    });
    const callout = { method: 'customCallout', customCallout: { custom, cli } };
    const { status, body } = await ask<{ callId: string }>('POST', '/calling/v1/callouts', callout);
    assert.equal(status, 200, JSON.stringify(body));
    const ice = await stage.told(body.callId, 'ice');
    assert.deepEqual([ice.cli, ice.custom, ice.domain], [cli, custom, 'pstn']);
    const placed = await call;
    await placed.ended;
    const ace = await stage.told(body.callId, 'ace');
    assert.deepEqual(ace.cookies, { order: '7' });
    const [recorded] = await stage.recordingOf(body.callId);
    assert.ok(recorded && isHeard(recorded, greeting.sound), 'what ACE says is in it');
    assert.equal((await stage.told(body.callId, 'dice')).result, 'ANSWERED');
  });

  test('without a document the call goes on, for whoever manages it', async () => {
    const { phone, call } = await stage.called();
    const destination = { type: 'sip', endpoint: phone.sipUri.slice(4) };
    const callout = { method: 'customCallout', customCallout: { destination, cli, maxDuration: 60 } };
    const { body } = await ask<{ callId: string }>('POST', '/calling/v1/callouts', callout);
    const placed = await call;
    const said = stage.prompt(4000);
    const play = { instructions: [{ name: 'playFiles', ids: [said.url] }], action: { name: 'continue' } };
    const path = `/calling/v1/calls/id/${body.callId}`;
    for (const side of ['', '/leg/callee'])
      assert.equal((await ask('PATCH', `${path}${side}`, play)).status, 200, side);
    await eventually('it is heard', () => isHeard(placed.received(), said.sound) || undefined);
    assert.equal((await ask('PATCH', path, { action: { name: 'hangup' } })).status, 200);
    await placed.ended;
  });

  test('a call that is tried at several gateways is one call, of whoever answers', async () => {
    const prefix = '+4971';
    const dead = await stage.called(async (incoming) => {
      incoming.reject(503);
      return await Promise.reject(new Error('out of order'));
    });
    const good = await stage.called();
    const port = ({ phone }: { phone: { sipUri: string } }) => parseSipUri(phone.sipUri)!.port!;
    const [host, routes] = ['127.0.0.1', [{ prefix }]];
    const gateways = [{ host, port: port(good) }];
    const trunk = { name: 'two-ways', host, port: port(dead), gateways, routes };
    assert.equal((await stage.http.json('POST', '/v1/trunks', trunk)).status, 201);
    const destination = { type: 'number', endpoint: '+497112345' };
    const callout = { method: 'customCallout', customCallout: { destination, cli, custom: 'ways' } };
    const place = async () =>
      (await ask<{ callId: string }>('POST', '/calling/v1/callouts', callout)).body.callId;
    const callId = await place();
    const placed = await good.call;
    await stage.told(callId, 'ace');
    const path = `/calling/v1/calls/id/${callId}`;
    const status = async () => {
      const { body } = await ask<{ status: string; result: string }>('GET', path);
      return [body.status, body.result];
    };
    assert.deepEqual(await status(), ['ONGOING', 'ANSWERED']);
    const said = stage.prompt(4000);
    const play = { instructions: [{ name: 'playFiles', ids: [said.url] }], action: { name: 'continue' } };
    assert.equal((await ask('PATCH', path, play)).status, 200);
    await eventually('it is heard', () => isHeard(placed.received(), said.sound) || undefined);
    await placed.hangUp();
    const dice = await stage.told(callId, 'dice');
    assert.deepEqual([dice.result, dice.reason], ['ANSWERED', 'CALLEEHANGUP']);
    assert.deepEqual(await status(), ['FINAL', 'ANSWERED']);
    assert.equal(stage.callbacks(callId, 'dice').length, 1);
    good.phone.onCall = (incoming) => incoming.reject(503);
    const again = await place();
    const failed = await stage.told(again, 'dice');
    assert.deepEqual([failed.result, failed.duration], ['FAILED', 0]);
    assert.equal(stage.callbacks(again).length, 1);
  });

  test('what can not be placed', async () => {
    const place = (method: string, fields: unknown) =>
      refusal('POST', '/calling/v1/callouts', { method, [method]: fields });
    const number = (endpoint: string) => ({ type: 'number', endpoint });
    assert.deepEqual(await refusal('POST', '/calling/v1/callouts', {}), [400, 40002]);
    assert.deepEqual(await refusal('POST', '/calling/v1/callouts', [1]), [400, 40001]);
    assert.deepEqual(await place('faxCallout', {}), [400, 40001]);
    assert.deepEqual(await place('ttsCallout', { destination: number('+12025550123') }), [400, 40002]);
    assert.deepEqual(await place('conferenceCallout', { destination: number('+12025550123') }), [400, 40002]);
    assert.deepEqual(
      await place('customCallout', { custom: 'nobody answers', ice: 'http://127.0.0.1:9/' }),
      [400, 40003],
    );
    assert.deepEqual(await place('customCallout', { ice: '{"action":' }), [400, 40003]);
    const [status] = await place('ttsCallout', { destination: number('+12025550123'), text: 'a' });
    assert.equal(status, 400, 'no trunk');
  });
});

suite('whatever is sent', { concurrency: false }, () => {
  const id = 'ffffffffffffffff';
  const doors: [string, string][] = [
    ['PATCH', `/calling/v1/calls/id/${id}`],
    ['PATCH', `/calling/v1/calls/id/${id}/leg/both`],
    ['PATCH', '/calling/v1/conferences/id/nobody'],
    ['PATCH', `/calling/v1/conferences/id/nobody/${id}`],
    ['POST', '/calling/v1/callouts'],
    ['POST', '/v1/configuration/numbers'],
    ['DELETE', '/v1/configuration/numbers'],
    ['POST', `/v1/configuration/callbacks/applications/${other.applicationKey}`],
  ];
  const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const bodies = [
    ...['', '{', 'null', '1', '"a"', '[]', '[{}]', '\ufeff{}', '{"a":1}', nested, `{"action":${nested}}`],
    '{"action":{"name":"\\u0000"},"command":"\\ud800","method":"\\u0000","numbers":["\\u0000"],"number":"\\u0000"}',
    '{"__proto__":{"action":1},"constructor":{"name":1},"toString":1}',
    '{"action":[{"name":"hangup"},{"name":"hangup"}],"instructions":{"name":"say"}}',
    '{"instructions":[null,1,"a",[],{"name":{}}],"action":{"name":1e999}}',
    '{"method":"ttsCallout","ttsCallout":{"destination":{"type":"number","endpoint":{}},"text":["a"]}}',
    '{"method":"customCallout","customCallout":{"ice":"\\u0000","ace":"[[[[","custom":"\\ud800"}}',
    '{"method":"conferenceCallout","conferenceCallout":{"conferenceId":"\\u0000","destination":7}}',
    `{"command":"mute","moh":"${'m'.repeat(1000)}","url":{"primary":"http://\\u0000","fallback":7}}`,
    `{"numbers":[${'"+12025550123",'.repeat(2000)}"+12025550123"]}`,
  ];

  test('is answered in the terms of the vendor, and by nothing that is ours to mend', async () => {
    for (const [method, path] of doors)
      for (const body of bodies) {
        const headers = { ...authorization(other), 'content-type': 'application/json' };
        const response = await fetch(`${publicUrl}${path}`, { method, headers, body });
        const text = await response.text();
        const what = `${method} ${path} ${body.slice(0, 60)}: ${response.status} ${text}`;
        const { errorCode, message, reference } = JSON.parse(text) as SinchErrorBody;
        assert.ok([400, 404].includes(response.status), what);
        assert.equal(Math.floor(errorCode / 100), response.status, what);
        assert.ok(message.length > 0 && message.length < 2000 && reference.length > 0, what);
      }
  });

  test('by any other type of content it is read as JSON; paths lead to something or nowhere', async () => {
    const send = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${publicUrl}${path}`, {
        ...init,
        headers: { ...authorization(stage.keys), ...init.headers },
      });
      return [response.status, ((await response.json()) as SinchErrorBody).errorCode];
    };
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])
      assert.deepEqual(
        await send('/calling/v1/callouts', {
          method: 'POST',
          body: 'a=1',
          headers: { 'content-type': type },
        }),
        [400, 40003],
        type,
      );
    for (const path of [
      '/calling/v1/nothing',
      '/calling/v2/callouts',
      '/v1/configuration/nothing',
      '/v1/calling/query',
      `/calling/v1/calls/id/${'x'.repeat(5000)}`,
      '/calling/v1/conferences/id/%00',
      '/calling/v1/recording/%ED%A0%80',
      '/calling/v1/calls/id/%zz',
    ])
      assert.deepEqual((await send(path))[1], 40400, path);
  });
});
