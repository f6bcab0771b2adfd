import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { headerValue } from '../../src/sip/message.ts';
import { noise } from '../../src/testkit/noise.ts';
import { assertOnlyRun, channelFrom, decoded, samplesOf } from './channel-audio.ts';
import { DatabaseCutOff, openBeside } from './database-cut-off.ts';
import {
  addNumbers,
  assertComeAgain,
  connectTo,
  type DialectName,
  dialects,
  unavailable,
} from './dialect-numbers.ts';
import { eventually } from './eventually.ts';
import { audioSdp, HandPhone } from './hand-phone.ts';
import type { ErrorBody } from './http-client.ts';
import { SinchClient, temporaryRefusal } from './sinch-client/client.ts';

const client = await SinchClient.open();
const { scene, http } = client.stage;
let decide: (dialect: DialectName) => Promise<unknown>;
const numbers = await addNumbers(scene, (dialect) => decide(dialect));
after(() => client[Symbol.asyncDispose]());

const offer = { body: audioSdp(40_000, 1) };
const cutOff = () => DatabaseCutOff.of(scene.server.dataDir);

beforeEach(async () => {
  await eventually('the database answers', async () =>
    (await http.get('/v1/recordings')).status === 200 ? true : undefined,
  );
});

test('while the database is out of reach callers are told to come again; the call that is there is whole', async () => {
  const call = await scene.call([scene.join('before', { do_record: true })]);
  const talking = call.play(noise({ samples: 12_000, seed: 1 }));
  {
    using _ = await cutOff();
    const { error } = unavailable(await http.get<ErrorBody>('/v1/recordings'));
    assert.deepEqual([error.code, error.message], ['DATABASE_UNAVAILABLE', 'the database does not answer']);
    assertComeAgain(await (await HandPhone.open(scene)).request('INVITE', offer), 'DATABASE_UNAVAILABLE');
    await talking;
  }
  await call.hangUp();
  const conversation = await scene.endedConversation({ conference_name: 'before' });
  const samples = await samplesOf(channelFrom(conversation, call).audio);
  assertOnlyRun(samples, decoded(call, call.sentPayloads), 'the call of before');
  const next = await scene.call([scene.join('after')]);
  await next.hangUp();
});

test('the APIs of the dialects say it as their vendors would', async () => {
  using _ = await cutOff();
  const { error } = unavailable(await http.get<ErrorBody>('/v0/connections'));
  assert.equal(error.code, 'DATABASE_UNAVAILABLE');
  assert.deepEqual(unavailable(await http.get('/api/relay/rest/recordings')), {
    error: 'Service Unavailable',
  });
  const asked = client.voice.calls.get({ callId: 'any' });
  assert.deepEqual(await temporaryRefusal(asked), [503, 50000]);
});

for (const dialect of dialects)
  test(`out of reach while the application thinks (${dialect}): the caller is told the same`, async () => {
    const called = await scene.audience.phone();
    const cut = Promise.withResolvers<DatabaseCutOff>();
    decide = async (asked) => {
      cut.resolve(await cutOff());
      return connectTo(asked, called.sipUri);
    };
    const phone = await HandPhone.open(scene, numbers[dialect]);
    const response = await phone.request('INVITE', offer);
    using _ = await cut.promise;
    assertComeAgain(response, 'DATABASE_UNAVAILABLE');
  });

test('out of reach while a called party says where it is: the caller is told the same', async () => {
  const [first, second] = [await scene.audience.phone(), await scene.audience.phone()];
  let rang = false;
  second.onCall = (incoming) => {
    rang = true;
    incoming.reject();
  };
  const cut = Promise.withResolvers<DatabaseCutOff>();
  first.onCall = async (incoming) => {
    cut.resolve(await cutOff());
    incoming.reject(302, [{ name: 'Contact', value: `<${second.sipUri}>` }]);
  };
  decide = async (dialect) => connectTo(dialect, first.sipUri);
  const response = await (await HandPhone.open(scene, numbers.sift)).request('INVITE', offer);
  using _ = await cut.promise;
  assertComeAgain(response, 'DATABASE_UNAVAILABLE');
  assert.equal(rang, false);
});

test('a query that is wrong is a fault of ours: nobody is told to come again', async () => {
  const beside = openBeside(scene.server.dataDir);
  const rename = (from: string, to: string) => beside.query(`ALTER TABLE callreel.${from} RENAME TO ${to}`);
  await rename('numbers', 'hidden');
  try {
    const response = await (await HandPhone.open(scene)).request('INVITE', offer);
    assert.deepEqual(
      [response.status, response.reason, headerValue(response, 'retry-after')],
      [500, 'INTERNAL', undefined],
    );
    const asked = await http.get<ErrorBody>('/v0/phonenumbers');
    assert.deepEqual([asked.status, asked.body.error.code], [500, 'INTERNAL']);
    assert.equal(asked.headers.get('retry-after'), null);
  } finally {
    await rename('hidden', 'numbers');
    await beside.end();
  }
  const unknown = await (await HandPhone.open(scene, '+15559990000')).request('INVITE', offer);
  assert.deepEqual([unknown.status, unknown.reason], [404, 'NOT_FOUND']);
});
