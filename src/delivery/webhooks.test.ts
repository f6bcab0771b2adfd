import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { systemClock } from '../clock.ts';
import type { Event } from '../database/schema.ts';
import { Secret } from '../secret.ts';
import { newWebhookSecret, type WebhookClient, webhookSender } from './webhooks.ts';

const event = {
  eventId: '0123456789abcdef',
  payload: { type: 'ended', conversation_id: 'c1' },
  callbackUrl: 'https://app.example/events',
} as unknown as Event;

function setUp(status: number) {
  const requests: Parameters<WebhookClient['request']>[0][] = [];
  const client: WebhookClient = {
    async request(request) {
      requests.push(request);
      return { status };
    },
  };
  const secret = newWebhookSecret();
  const send = webhookSender({ client, secret: new Secret(secret), clock: systemClock });
  return { requests, secret, send };
}

const delivery = (deliveryId: string, attempt: number) => ({
  deliveryId,
  attempt,
  signal: new AbortController().signal,
});

test('a receiver verifies the body by the Standard Webhooks library; ids are as promised', async () => {
  const { requests, secret, send } = setUp(204);
  await send(event, delivery('d1', 1));
  await send(event, delivery('d2', 2));
  const [first, second] = requests;
  assert.ok(first && second);
  assert.equal(first.url, event.callbackUrl);
  assert.deepEqual(new Webhook(secret).verify(first.body, first.headers), event.payload);
  assert.throws(() => new Webhook(secret).verify(`${first.body} `, first.headers));
  assert.equal(first.headers['webhook-id'], event.eventId);
  assert.equal(second.headers['webhook-id'], event.eventId);
  assert.deepEqual(
    [first, second].map(({ headers }) => [headers['callreel-delivery-id'], headers['callreel-attempt']]),
    [
      ['d1', '1'],
      ['d2', '2'],
    ],
  );
});

test('a receiver of a dialect gets the signatures that it knows beside ours', async () => {
  const requests: Parameters<WebhookClient['request']>[0][] = [];
  const client: WebhookClient = {
    async request(request) {
      requests.push(request);
      return { status: 200 };
    },
  };
  const signatures = { vendor: (url: string, body: string) => ({ 'x-vendor': `${url} ${body.length}` }) };
  const secret = new Secret(newWebhookSecret());
  const send = webhookSender({ client, secret, clock: systemClock, signatures });
  for (const dialect of ['vendor', 'other', null]) await send({ ...event, dialect }, delivery('d', 1));
  const length = JSON.stringify(event.payload).length;
  assert.deepEqual(
    requests.map(({ headers }) => headers['x-vendor']),
    [`${event.callbackUrl} ${length}`, undefined, undefined],
  );
  for (const { headers } of requests) assert.ok(headers['webhook-signature']);
});

for (const status of [200, 299])
  test(`${status} is delivered`, async () => {
    await setUp(status).send(event, delivery('d', 1));
  });

for (const status of [199, 301, 400, 410, 500])
  test(`${status} is not delivered`, async () => {
    await assert.rejects(setUp(status).send(event, delivery('d', 1)), {
      code: 'CALLBACK_FAILED',
      message: new RegExp(`${status}`),
    });
  });

test('what the first URL does not take goes to the second, signed for that; both refusing is a failure', async () => {
  const requests: { url: string; signature: string | undefined }[] = [];
  let taken = '';
  const client: WebhookClient = {
    async request({ url, headers }) {
      requests.push({ url, signature: headers.authorization });
      return { status: url === taken ? 200 : 503 };
    },
  };
  const send = webhookSender({
    ...{ client, secret: new Secret(newWebhookSecret()), clock: systemClock },
    signatures: { own: async (url, _body, signer) => ({ authorization: `${signer} for ${url}` }) },
  });
  const [first, second] = ['https://app.example/1', 'https://app.example/2'];
  const told = { ...event, dialect: 'own', signer: 'app', callbackUrl: first, fallbackUrl: second } as Event;
  taken = second;
  await send(told, delivery('d1', 1));
  const both = [first, second].map((url) => ({ url, signature: `app for ${url}` }));
  assert.deepEqual(requests.splice(0), both);
  taken = first;
  await send(told, delivery('d2', 2));
  assert.deepEqual(requests.splice(0), both.slice(0, 1));
  taken = '';
  await assert.rejects(send(told, delivery('d3', 3)), { code: 'CALLBACK_FAILED' });
  assert.equal(requests.length, 2);
});
