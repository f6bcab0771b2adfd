import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { newWebhookSecret } from '../delivery/webhooks.ts';
import { verifyWebhook as verifySift } from './sift.ts';
import { verifyWebhook, WebhookError, type WebhookFault } from './webhook-signature.ts';

const secret = newWebhookSecret();
const sentSeconds = 1_790_000_000;
const event = { type: 'ended', conversation_id: 'c1' };
const body = JSON.stringify(event);
const now = (seconds: number) => ({ nowMs: (sentSeconds + seconds) * 1000 });

function signed(text = body, key = secret): Record<string, string> {
  return {
    'webhook-id': 'e1',
    'webhook-timestamp': String(sentSeconds),
    'webhook-signature': new Webhook(key).sign('e1', new Date(sentSeconds * 1000), text),
  };
}

const faultOf = (fault: WebhookFault) => (error: unknown) =>
  error instanceof WebhookError && error.fault === fault;

describe('what the server signed', () => {
  test('is the event, from text and from bytes, with the prefix of the secret and without', () => {
    assert.deepEqual(verifyWebhook(secret, { headers: signed(), body }, now(0)), event);
    assert.deepEqual(verifyWebhook(secret, { headers: signed(), body: Buffer.from(body) }, now(0)), event);
    assert.deepEqual(verifyWebhook(secret.slice(6), { headers: signed(), body }, now(0)), event);
  });

  test('has the type of its dialect', () => {
    const verified = verifySift(secret, { headers: signed(), body }, now(0));
    assert.equal(verified.type === 'ended' && verified.conversation_id, 'c1');
  });

  test('counts where several signatures stand', () => {
    const headers = signed();
    const several = `v1a,abc= v1,AAAA ${headers['webhook-signature']}`;
    assert.deepEqual(
      verifyWebhook(secret, { headers: { ...headers, 'webhook-signature': several }, body }, now(0)),
      event,
    );
  });

  test('is taken up to the tolerance, before and after', () => {
    for (const seconds of [-300, 300])
      assert.deepEqual(verifyWebhook(secret, { headers: signed(), body }, now(seconds)), event);
    const request = { headers: signed(), body };
    assert.throws(() => verifyWebhook(secret, request, now(301)), faultOf('too-old'));
    assert.throws(() => verifyWebhook(secret, request, now(-301)), faultOf('too-new'));
    assert.throws(
      () => verifyWebhook(secret, request, { ...now(11), toleranceSeconds: 10 }),
      faultOf('too-old'),
    );
  });
});

describe('what is refused', () => {
  for (const [change, headers, text] of [
    ['another body', signed(), `${body} `],
    ['another id', { ...signed(), 'webhook-id': 'e2' }, body],
    ['another time', { ...signed(), 'webhook-timestamp': String(sentSeconds + 1) }, body],
    ['another key', signed(body, newWebhookSecret()), body],
    [
      'a signature cut short',
      { ...signed(), 'webhook-signature': signed()['webhook-signature']!.slice(0, -5) },
      body,
    ],
    ['no scheme', { ...signed(), 'webhook-signature': signed()['webhook-signature']!.slice(3) }, body],
    [
      'the asymmetric scheme',
      { ...signed(), 'webhook-signature': `v1a,${signed()['webhook-signature']!.slice(3)}` },
      body,
    ],
  ] as const)
    test(`${change}: signature-wrong`, () => {
      assert.throws(() => verifyWebhook(secret, { headers, body: text }, now(0)), faultOf('signature-wrong'));
    });

  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
    test(`no ${name}: header-missing`, () => {
      const headers = { ...signed(), [name]: undefined };
      assert.throws(() => verifyWebhook(secret, { headers, body }, now(0)), faultOf('header-missing'));
    });

  test('a time that is none: header-missing', () => {
    const headers = { ...signed(), 'webhook-timestamp': 'now' };
    assert.throws(() => verifyWebhook(secret, { headers, body }, now(0)), faultOf('header-missing'));
  });

  test('what is signed and no JSON: not-json', () => {
    const request = { headers: signed('{'), body: '{' };
    assert.throws(() => verifyWebhook(secret, request, now(0)), faultOf('not-json'));
  });
});
