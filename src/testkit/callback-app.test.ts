import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { answer, CallbackApp } from './callback-app.ts';

let app: CallbackApp;
beforeEach(async () => {
  app = await CallbackApp.create();
});
afterEach(() => app.close());

function post(path: string, body: unknown): Promise<Response> {
  return fetch(app.url(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-signature': 'abc' },
    body: JSON.stringify(body),
  });
}

test('a handler answers JSON and the request is on record as it came', async () => {
  app.on('/incoming', (body: { from: string }) => ({ routine: [{ say: `hello ${body.from}` }] }));
  const response = await post('/incoming?try=2', { from: '+15550001' });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { routine: [{ say: 'hello +15550001' }] });
  const [request] = app.requests('/incoming');
  assert.equal(request?.method, 'POST');
  assert.equal(request?.query.get('try'), '2');
  assert.equal(request?.headers['x-signature'], 'abc');
  assert.equal(request?.rawBody.toString(), '{"from":"+15550001"}');
  assert.ok(request!.receivedUs > 0);
});

test('statuses, headers and delays can be answered too', async () => {
  app.on('/busy', () => answer(503, { wait: true }, { 'retry-after': '7' }));
  app.on('/quiet', async () => undefined);
  const busy = await post('/busy', {});
  assert.equal(busy.status, 503);
  assert.equal(busy.headers.get('retry-after'), '7');
  assert.deepEqual(await busy.json(), { wait: true });
  assert.equal((await post('/quiet', {})).status, 204);
});

test('an unknown path is 404, a throwing handler 500, both on record', async () => {
  app.on('/broken', () => {
    throw new Error('handler broke');
  });
  assert.equal((await post('/nobody', {})).status, 404);
  assert.equal((await post('/broken', {})).status, 500);
  assert.equal(app.requests().length, 2);
  assert.match(String(app.log.failures[0]), /handler broke/);
});

test('forms and plain texts are understood', async () => {
  app.on('/any', () => ({}));
  await fetch(app.url('/any'), { method: 'POST', body: new URLSearchParams({ From: '+1', To: '+2' }) });
  await fetch(app.url('/any'), { method: 'POST', body: 'not json' });
  assert.deepEqual(
    app.requests('/any').map((request) => request.body),
    [{ From: '+1', To: '+2' }, 'not json'],
  );
});

test('a body without end is refused', async () => {
  const response = await fetch(app.url('/big'), { method: 'POST', body: 'x'.repeat((1 << 20) + 1) }).catch(
    (error: Error) => error,
  );
  if (response instanceof Response) assert.equal(response.status, 413);
  assert.equal(app.requests('/big').length, 0);
});

test('waiting finds what came before and what comes later', async () => {
  app.on('/events', () => ({}));
  await post('/events', { event: 'started' });
  assert.equal(
    (await app.waitFor('/events', (body: { event: string }) => body.event === 'started')).path,
    '/events',
  );
  const later = app.waitFor('/events', (body: { event: string }) => body.event === 'ended');
  await post('/events', { event: 'ended' });
  assert.deepEqual((await later).body, { event: 'ended' });
});

test('waiting in vain says what came instead', async () => {
  const clock = new FakeClock();
  const own = await CallbackApp.create({ clock });
  const nothing = own.waitFor('/events', () => true, 500);
  clock.advanceMs(500);
  await assert.rejects(nothing, /no such request to \/events within 500 ms; no request came at all/);
  own.on('/events', () => ({}));
  await fetch(own.url('/events'), { method: 'POST', body: '{"event":"started"}' });
  const other = own.waitFor('/events', (body: { event: string }) => body.event === 'ended', 500);
  clock.advanceMs(500);
  await assert.rejects(other, /1 others came to it, the last with \{"event":"started"\}/);
  const open = own.waitFor('/none');
  const closed = assert.rejects(open, /before the application was closed; requests came only to \/events/);
  await own.close();
  await closed;
  assert.equal(clock.pendingTimers, 0);
});
