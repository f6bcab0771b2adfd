import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { headerValue } from '../../src/sip/message.ts';
import { noise } from '../../src/testkit/noise.ts';
import { assertOnlyRun, channelFrom, decoded, samplesOf } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { HandPhone } from './hand-phone.ts';
import { type ErrorBody, HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open({ settings: { CALLREEL_ADMISSION_MAX_CALLS: '1' } });
const http = new HttpClient(scene.server.callreel);
after(() => scene[Symbol.asyncDispose]());

test('a node that is full says so to callers, balancers and the API, and the call it has loses nothing', async () => {
  const call = await scene.call([scene.join('the one', { do_record: true })]);
  const talking = call.play(noise({ samples: 8000, seed: 1 }));

  const refused = await HandPhone.open(scene);
  const invite = await refused.request('INVITE', { body: 'v=0' });
  assert.equal(invite.status, 503);
  assert.match(headerValue(invite, 'retry-after') ?? '', /^\d+$/);
  refused.acknowledge();
  const balancer = await HandPhone.open(scene);
  const options = await balancer.request('OPTIONS');
  assert.equal(options.status, 503);
  assert.match(headerValue(options, 'retry-after') ?? '', /^\d+$/);

  await http.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });
  const order = {
    to: (await scene.audience.phone()).sipUri,
    from: '+15558881188',
    conference: { name: 'more' },
  };
  const placed = await http.json<ErrorBody>('POST', '/v1/calls', order);
  assert.equal(placed.status, 503);
  assert.equal(placed.body.error.code, 'OVERLOADED');
  assert.equal(placed.body.error.where, 'calls');
  assert.match(placed.headers.get('retry-after') ?? '', /^\d+$/);
  assert.deepEqual(scene.server.callreel.admission.refusals, { calls: 2 });

  await talking;
  await call.hangUp();
  const conversation = await scene.endedConversation({ conference_name: 'the one' });
  const samples = await samplesOf(channelFrom(conversation, call).audio);
  assertOnlyRun(samples, decoded(call, call.sentPayloads), 'the call of a full node');

  await eventually('there is room again', async () =>
    (await (await HandPhone.open(scene)).request('OPTIONS')).status === 200 ? true : undefined,
  );
  const next = await scene.call([scene.join('the next')]);
  await next.hangUp();
});
