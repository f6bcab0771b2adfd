import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { type ErrorBody, HttpClient, type Page } from './http-client.ts';
import { Scene } from './scene.ts';

interface ApplicationBody {
  app_id: string;
  name: string;
  dialect: string;
  url: string | null;
  document: unknown;
  fallback_url: string | null;
  numbers: string[];
  created_at: string;
  taken_numbers?: { number: string; former_app_id: string }[];
}

const scene = await Scene.open();
const http = new HttpClient(scene.server.callreel);
after(() => scene[Symbol.asyncDispose]());
const path = '/v1/applications';
const swml = { version: '1.0.0', sections: { main: [{ answer: {} }] } };

suite('applications by the native API', { concurrency: false }, () => {
  const created: ApplicationBody[] = [];

  test('of each dialect, created, read, listed', async () => {
    for (const given of [
      { dialect: 'signalwire', name: 'swml', document: swml, numbers: ['3000', '+1 555 777 0001'] },
      { dialect: 'sift', url: 'https://app.example/incoming' },
      { dialect: 'signalwire', document: 'version: 1.0.0\nsections:\n  main:\n    - hangup: {}\n' },
    ]) {
      const { status, body } = await http.json<ApplicationBody>('POST', path, given);
      assert.equal(status, 201, JSON.stringify(body));
      const { taken_numbers, ...application } = body;
      assert.deepEqual(taken_numbers, []);
      assert.deepEqual((await http.get(`${path}/${body.app_id}`)).body, application);
      created.push(application);
    }
    assert.deepEqual(created[0]?.numbers, ['+15557770001', '3000']);
    assert.equal(created[1]?.name, created[1]?.app_id);
    const { body } = await http.get<Page<ApplicationBody>>(`${path}?limit=2`);
    assert.deepEqual(body.results, created.slice(1).toReversed());
    assert.ok(body.next);
    const { body: swmls } = await http.get<Page<ApplicationBody>>(`${path}?dialect=signalwire`);
    assert.deepEqual(
      swmls.results.map(({ app_id }) => app_id),
      [created[2]!.app_id, created[0]!.app_id],
    );
  });

  test('what is not given stays; numbers are taken from others, and freed', async () => {
    const [first, second] = created;
    const changed = await http.json<ApplicationBody>('POST', `${path}/${second!.app_id}`, {
      numbers: ['3000'],
    });
    assert.deepEqual(changed.body.taken_numbers, [{ number: '3000', former_app_id: first!.app_id }]);
    assert.deepEqual([changed.body.url, changed.body.dialect], [second!.url, 'sift']);
    assert.deepEqual((await http.get<ApplicationBody>(`${path}/${first!.app_id}`)).body.numbers, [
      '+15557770001',
    ]);
    const url = 'https://app.example/swml';
    const next = await http.json<ApplicationBody>('POST', `${path}/${first!.app_id}`, {
      url,
      document: null,
    });
    assert.deepEqual([next.body.url, next.body.document, next.body.name], [url, null, 'swml']);
  });

  test('what is wrong is refused with its place', async () => {
    const wrong: [object, string, RegExp][] = [
      [
        { dialect: 'signalwire', document: { sections: { main: [{ answr: {} }] } } },
        'DOCUMENT_INVALID',
        /^body\.document sections\.main\[0\]/,
      ],
      [
        { dialect: 'signalwire', document: 'version: 1.0.0\nsections:\n  main:\n    - answr: {}\n' },
        'DOCUMENT_INVALID',
        /line 4$/,
      ],
      [{ dialect: 'sift', document: [{ name: 'Nothing' }] }, 'DOCUMENT_INVALID', /^body\.document/],
      [{ dialect: 'laml' }, 'REQUEST_INVALID', /^body\.dialect$/],
      [{ dialect: 'sift', fallback_url: 'https://app.example' }, 'REQUEST_INVALID', /^body\.fallback_url$/],
      [
        { dialect: 'sinch', document: { action: { name: 'continue' } } },
        'DOCUMENT_INVALID',
        /^body\.document action\.name$/,
      ],
      [{ dialect: 'sift', url: 'ftp://app.example' }, 'REQUEST_INVALID', /^body\.url$/],
      [{ dialect: 'sift', numbers: ['+1'] }, 'NUMBER_INVALID', /./],
      [{ name: 'x' }, 'REQUEST_INVALID', /^body\.dialect$/],
    ];
    for (const [given, code, where] of wrong) {
      const { body } = await http.json<ErrorBody>('POST', path, given);
      assert.equal(body.error?.code, code, JSON.stringify([given, body]));
      assert.match(body.error.where ?? '', where, JSON.stringify(given));
    }
    const dialect = await http.json<ErrorBody>('POST', `${path}/${created[0]!.app_id}`, { dialect: 'sift' });
    assert.equal(dialect.status, 400, 'it stays what it is');
  });

  test('one of the dialect sinch has a UUID for a key, and a secret that is told once', async () => {
    const given = {
      ...{ dialect: 'sinch', url: 'https://app.example/voice', numbers: ['3001'] },
      fallback_url: 'https://backup.example/voice',
      document: { action: { name: 'hangup' } },
    };
    const { status, body } = await http.json<ApplicationBody & { secret: string }>('POST', path, given);
    assert.equal(status, 201, JSON.stringify(body));
    assert.match(body.app_id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(Buffer.from(body.secret, 'base64').length, 32);
    const { secret, taken_numbers, ...application } = body;
    assert.deepEqual(taken_numbers, []);
    const kept = [application.url, application.document, application.numbers];
    assert.deepEqual(kept, [given.url, given.document, given.numbers]);
    assert.deepEqual((await http.get(`${path}/${body.app_id}`)).body, application);
    const next = await http.json<ApplicationBody>('POST', `${path}/${body.app_id}`, { fallback_url: null });
    assert.ok(!JSON.stringify(next.body).includes(secret));
    assert.deepEqual(next.body, { ...application, fallback_url: null, taken_numbers: [] });
    created.push(application);
  });

  test('deleted, once', async () => {
    for (const { app_id } of created) {
      assert.equal((await http.delete(`${path}/${app_id}`)).status, 204);
      assert.equal((await http.delete(`${path}/${app_id}`)).status, 404);
      assert.equal((await http.get(`${path}/${app_id}`)).status, 404);
    }
  });
});
