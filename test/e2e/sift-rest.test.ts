import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tone } from '../../src/testkit/tone.ts';
import { type ErrorBody, HttpClient, type Page } from './http-client.ts';
import { Scene } from './scene.ts';

interface ApplicationBody {
  app_id: string;
  name: string;
  on_incoming: string | null;
  default_routine: unknown[] | null;
  script: string | null;
  phone_numbers: string[];
}

interface NumberBody {
  phone_number: string;
  application: string | null;
}

interface ConnectionBody {
  connection_id: string;
  status: string;
  from: string;
  to: string;
  start_time: string;
  end_time: string | null;
}

let scene: Scene;
let http: HttpClient;

before(async () => {
  scene = await Scene.open();
  http = new HttpClient(scene.server.callreel);
});

after(() => scene[Symbol.asyncDispose]());

async function createApplication(fields: Record<string, unknown>): Promise<ApplicationBody> {
  const { status, body } = await http.json<ApplicationBody>('POST', '/v0/applications', fields);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

describe('applications', () => {
  test('a form as `requests.post(url, data={...})` sends it', async () => {
    const { status, body } = await http.form<ApplicationBody>('POST', '/v0/applications', [
      ['name', 'support'],
      ['on_incoming', 'http://127.0.0.1:9/incoming'],
      ['default_routine', '[{"name": "HangUp"}]'],
      ['script', ''],
      ['phone_numbers', '+15550100001'],
      ['phone_numbers', '+1 (555) 010-0002'],
      ['favourite_colour', 'blue'],
    ]);
    assert.equal(status, 201);
    assert.match(body.app_id, /^[0-9a-f]{16}$/);
    const { app_id, ...rest } = body;
    assert.deepEqual(
      { ...rest, created: undefined, account_id: undefined },
      {
        name: 'support',
        on_incoming: 'http://127.0.0.1:9/incoming',
        default_routine: [{ name: 'HangUp' }],
        script: null,
        phone_numbers: ['+15550100001', '+15550100002'],
        created: undefined,
        account_id: undefined,
      },
    );
    assert.deepEqual((await http.get(`/v0/applications/${app_id}`)).body, body);
  });

  test('an update changes what it names and nothing else', async () => {
    const before = await createApplication({
      name: 'a',
      on_incoming: 'https://example.com/in',
      default_routine: { routine: [{ name: 'HangUp' }] },
      phone_numbers: ['+15550100011', '+15550100012'],
    });
    const path = `/v0/applications/${before.app_id}`;
    for (const method of ['POST', 'PUT', 'PATCH']) {
      const { status, body } = await http.json<ApplicationBody>(method, path, { name: method });
      assert.equal(status, 200);
      assert.deepEqual(body, { ...before, name: method });
    }
    const changes = {
      on_incoming: '',
      default_routine: null,
      phone_numbers: ['+15550100012', '+15550100013'],
    };
    const { body } = await http.json<ApplicationBody>('POST', path, changes);
    assert.deepEqual(body, {
      ...before,
      name: 'PATCH',
      on_incoming: null,
      default_routine: null,
      phone_numbers: ['+15550100012', '+15550100013'],
    });
    const freed = await http.get<NumberBody>('/v0/phonenumbers/+15550100011');
    assert.equal(freed.body.application, null);
  });

  test('a number that another application answered is taken from it, and the answer says so', async () => {
    const number = '+15550100031';
    const first = await createApplication({ name: 'first', phone_numbers: [number] });
    const second = await createApplication({ name: 'second', phone_numbers: [number, '+15550100032'] });
    const { taken_numbers, phone_numbers } = second as ApplicationBody & { taken_numbers: unknown };
    assert.deepEqual(taken_numbers, [{ phone_number: number, former_app_id: first.app_id }]);
    assert.deepEqual(phone_numbers, [number, '+15550100032']);
    const { body } = await http.get<ApplicationBody>(`/v0/applications/${first.app_id}`);
    assert.deepEqual(body.phone_numbers, []);
  });

  test('a deleted application is gone, its numbers are free', async () => {
    const { app_id } = await createApplication({ name: 'd', phone_numbers: ['+34910000001'] });
    assert.equal((await http.delete(`/v0/applications/${app_id}`)).status, 204);
    assert.equal((await http.delete(`/v0/applications/${app_id}`)).status, 404);
    assert.equal((await http.get(`/v0/applications/${app_id}`)).status, 404);
    for (const country of ['ES', 'es', '34']) {
      const { body } = await http.get<Page<NumberBody>>(`/v0/availablenumbers/${country}`);
      assert.deepEqual(
        body.results.map(({ phone_number }) => phone_number),
        ['+34910000001'],
      );
    }
    assert.deepEqual((await http.get<Page<NumberBody>>('/v0/availablenumbers/AQ')).status, 400);
    const { body } = await http.get<Page<NumberBody>>('/v0/availablenumbers/SG');
    assert.deepEqual(body, { next: null, previous: null, results: [] });
  });

  test('pages lead through the whole list and back', async () => {
    for (let index = 0; index < 5; index++) await createApplication({ name: `page ${index}` });
    const whole = await http.get<Page<ApplicationBody>>('/v0/applications?limit=100');
    const forth: Page<ApplicationBody>[] = [];
    for (let url: string | null = '/v0/applications?limit=2&unknown=x'; url; url = forth.at(-1)!.next)
      forth.push((await http.get<Page<ApplicationBody>>(url)).body);
    assert.deepEqual(
      forth.flatMap(({ results }) => results),
      whole.body.results,
    );
    assert.match(forth[0]?.next ?? '', /^http:.*limit=2&unknown=x&cursor=/);
    const back: Page<ApplicationBody>[] = [];
    for (let url = forth.at(-1)!.previous; url; url = back[0]!.previous)
      back.unshift((await http.get<Page<ApplicationBody>>(url)).body);
    assert.deepEqual(
      back.flatMap(({ results }) => results),
      forth.slice(0, -1).flatMap(({ results }) => results),
    );
    const misread = await http.get<Page<ApplicationBody>>(
      `/v0/applications?limit=2&cursor=${encodeURIComponent(forth[0]!.next!)}`,
    );
    assert.deepEqual(misread.body.results, forth[1]?.results);
  });
});

describe('what is wrong is named', () => {
  const wrong: [method: string, path: string, body: unknown, where: string, code: string][] = [
    ['POST', '/v0/applications', { on_incoming: 'ftp://example.com' }, 'body.on_incoming', 'REQUEST_INVALID'],
    ['POST', '/v0/applications', { name: 7 }, 'body.name', 'REQUEST_INVALID'],
    ['POST', '/v0/applications', 'text', 'body', 'REQUEST_INVALID'],
    ['POST', '/v0/applications', { phone_numbers: { a: 1 } }, 'body.phone_numbers', 'REQUEST_INVALID'],
    ['POST', '/v0/applications', { phone_numbers: ['+0'] }, '+0', 'NUMBER_INVALID'],
    [
      'POST',
      '/v0/applications',
      { default_routine: [{ name: 'HangUp' }, { name: 'Dance' }] },
      'body.default_routine[1].name',
      'DOCUMENT_INVALID',
    ],
    ['POST', '/v0/applications', { default_routine: '[' }, 'body.default_routine', 'DOCUMENT_INVALID'],
    ['POST', '/v0/applications/none', { name: 'a' }, 'none', 'NOT_FOUND'],
    ['POST', '/v0/phonenumbers/+15550100021', { application: 'none' }, 'body.application', 'REQUEST_INVALID'],
    ['POST', '/v0/applications', { name: 'a\0' }, 'body.name', 'REQUEST_INVALID'],
    [
      'POST',
      '/v0/applications',
      { default_routine: [{ name: 'HangUp', x: '\ud800' }] },
      'body.default_routine[0].x',
      'REQUEST_INVALID',
    ],
    ['GET', '/v0/connections?from=%00', undefined, 'querystring.from', 'REQUEST_INVALID'],
    ['GET', '/v0/connections/a%00', undefined, 'params.connectionId', 'REQUEST_INVALID'],
    ['POST', '/v0/phonenumbers', {}, 'body.phone_number', 'REQUEST_INVALID'],
    ['POST', '/v0/phonenumbers', { phone_number: 'a b' }, 'a b', 'NUMBER_INVALID'],
    ['GET', '/v0/phonenumbers/+15550100022', undefined, '+15550100022', 'NOT_FOUND'],
    ['GET', '/v0/connections?limit=0', undefined, 'querystring.limit', 'REQUEST_INVALID'],
    ['GET', '/v0/connections?limit=101', undefined, 'querystring.limit', 'REQUEST_INVALID'],
    ['GET', '/v0/connections?status=gone', undefined, 'querystring.status', 'REQUEST_INVALID'],
    ['GET', '/v0/connections?cursor=abc', undefined, 'querystring.cursor', 'REQUEST_INVALID'],
    ['GET', '/v0/connections/none', undefined, 'none', 'NOT_FOUND'],
    ['GET', '/v0/conversations?min_created=soon', undefined, 'querystring.min_created', 'REQUEST_INVALID'],
    [
      'GET',
      '/v0/conversations?max_created=2026-02-31T99:00',
      undefined,
      'querystring.max_created',
      'REQUEST_INVALID',
    ],
    [
      'GET',
      '/v0/conversations?status=active&status=ended',
      undefined,
      'querystring.status',
      'REQUEST_INVALID',
    ],
    ['GET', '/v0/conversations/none', undefined, 'none', 'NOT_FOUND'],
  ];
  for (const [method, path, given, where, code] of wrong)
    test(`${method} ${path} ${JSON.stringify(given) ?? ''}: ${where}`, async () => {
      const { body } =
        given === undefined
          ? await http.get<ErrorBody>(path)
          : await http.json<ErrorBody>(method, path, given);
      assert.deepEqual([body.error?.code, body.error?.where], [code, where], JSON.stringify(body));
      assert.ok(body.error.message && body.error.todo);
    });

  test('an id of 300 characters is refused like any other, and not before authentication', async () => {
    for (const list of ['applications', 'connections', 'conversations', 'phonenumbers']) {
      const path = `/v0/${list}/${'a'.repeat(300)}`;
      const response = await fetch(scene.server.callreel.publicUrl + path);
      const { error } = (await response.json()) as ErrorBody;
      assert.deepEqual([response.status, error.code], [401, 'UNAUTHORIZED']);
      const { status, body } = await http.get<ErrorBody>(path);
      assert.ok([400, 404].includes(status), `${list}: ${status}`);
      assert.ok(body.error.code && body.error.todo, JSON.stringify(body));
    }
  });

  test('without credentials every path says so', async () => {
    for (const path of ['/v0/applications', '/v0/phonenumbers', '/v0/connections', '/v0/conversations']) {
      const response = await fetch(scene.server.callreel.publicUrl + path);
      const { error } = (await response.json()) as ErrorBody;
      assert.deepEqual([response.status, error.code], [401, 'UNAUTHORIZED']);
      assert.match(response.headers.get('www-authenticate') ?? '', /^Basic/);
    }
  });
});

test('G6: a dial-in number, tied to an application by the API, is answered by it; lists show the call', async () => {
  const { audience, server } = scene;
  const answered = audience.app.url('/incoming');
  const { app_id } = await createApplication({ name: 'hotline', on_incoming: answered });
  const assigned = await http.form<NumberBody>('POST', '/v0/phonenumbers', {
    phone_number: '+1 555 020 0001',
    application: app_id,
  });
  assert.deepEqual(
    [assigned.status, assigned.body.phone_number, assigned.body.application],
    [201, '+15550200001', app_id],
  );
  const owned = await http.get<Page<NumberBody>>(`/v0/phonenumbers?application=${app_id}`);
  assert.deepEqual(owned.body.results, [assigned.body]);

  const rooms = ['first', 'second', 'third'];
  for (const room of rooms) {
    const call = await audience.call(
      server.sipUri('15550200001'),
      [audience.join(room, { do_record: true })],
      { number: `+1555030000${rooms.indexOf(room)}` },
    );
    await call.play(tone({ frequencyHz: 443, durationMs: 200 }));
    await call.hangUp();
    await audience.ended({ conference_name: room });
  }

  interface ConversationItem {
    conversation_id: string;
    conference_name: string;
    start_time: string;
    audio: { wav_file: string };
    channels: { from: string }[];
  }
  const list = async (query: string) =>
    (await http.get<Page<ConversationItem>>(`/v0/conversations?${query}`)).body;
  const all = await list('');
  assert.deepEqual(
    all.results.map(({ conference_name, channels }) => [conference_name, channels[0]?.from]),
    [
      ['third', '+15550300002'],
      ['second', '+15550300001'],
      ['first', '+15550300000'],
    ],
  );
  const [third, second, first] = all.results as [ConversationItem, ConversationItem, ConversationItem];
  const one = await http.get<ConversationItem>(`/v0/conversations/${second.conversation_id}`);
  assert.deepEqual(one.body.channels.length, 1);
  assert.equal((await fetch(one.body.audio.wav_file)).status, 200);

  const names = (page: Page<ConversationItem>) => page.results.map((item) => item.conference_name);
  assert.deepEqual(names(await list(`min_created=${second.start_time}`)), ['third', 'second']);
  assert.deepEqual(names(await list(`max_created=${Date.parse(second.start_time) / 1000}`)), [
    'second',
    'first',
  ]);
  assert.deepEqual(names(await list('conference_name=second&status=ended')), ['second']);
  assert.deepEqual(names(await list('status=active')), []);
  const page = await list(`limit=1&max_created=${third.start_time}`);
  const middle = (await http.get<Page<ConversationItem>>(page.next!)).body;
  assert.deepEqual([names(page), names(middle)], [['third'], ['second']]);
  assert.deepEqual(names((await http.get<Page<ConversationItem>>(middle.previous!)).body), ['third']);
  const last = (await http.get<Page<ConversationItem>>(middle.next!)).body;
  assert.deepEqual([names(last), last.next], [[first.conference_name], null]);

  const connections = await http.get<Page<ConnectionBody>>(
    '/v0/connections?from=%2B15550300001&direction=incoming&status=finished',
  );
  const [connection] = connections.body.results;
  assert.equal(connections.body.results.length, 1);
  assert.equal(connection?.to, '15550200001');
  assert.ok(connection.end_time! >= connection.start_time);
  const alone = await http.get<ConnectionBody>(`/v0/connections/${connection.connection_id}`);
  assert.deepEqual(alone.body, connection);
});
