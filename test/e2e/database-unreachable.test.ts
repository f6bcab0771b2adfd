import assert from 'node:assert/strict';
import { realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openPool } from '../../src/database/database.ts';
import { postgresRole } from '../../src/database/postgres-command.ts';
import { choosePlaces, socketPort } from '../../src/database/postgres-places.ts';
import { silentLogger } from '../../src/logger.ts';
import { headerValue, type SipResponse } from '../../src/sip/message.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { noise } from '../../src/testkit/noise.ts';
import { assertOnlyRun, channelFrom, decoded, samplesOf } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { audioSdp, HandPhone } from './hand-phone.ts';
import { type ErrorBody, HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

const slowNumber = '+15550003001';
const app = await CallbackApp.create();
const scene = await Scene.open({ numbers: [{ number: slowNumber, onIncoming: app.url('/slow') }] });
const http = new HttpClient(scene.server.callreel);
after(async () => {
  await scene[Symbol.asyncDispose]();
  await app.close();
});

/** Takes the embedded database's socket away and ends its sessions; gives back how to undo that. */
async function cutOff(dataDir: string): Promise<() => void> {
  const { socketDir } = choosePlaces(realpathSync(dataDir));
  const address = { host: socketDir, port: socketPort, user: postgresRole, database: 'postgres', max: 1 };
  const pool = openPool(address, silentLogger);
  await pool.query('SELECT 1');
  const socket = join(socketDir, `.s.PGSQL.${socketPort}`);
  renameSync(socket, `${socket}.away`);
  await pool.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
  );
  await pool.end();
  return () => renameSync(`${socket}.away`, socket);
}

const offer = { body: audioSdp(40_000, 1) };

function assertComeAgain(response: SipResponse): void {
  assert.equal(response.status, 503);
  assert.match(headerValue(response, 'retry-after') ?? '', /^\d+$/);
}

test('while the database is out of reach callers are told to come again; the call that is there is whole', async () => {
  const call = await scene.call([scene.join('before', { do_record: true })]);
  const talking = call.play(noise({ samples: 12_000, seed: 1 }));
  const restore = await cutOff(scene.server.dataDir);

  const asked = await http.get<ErrorBody>('/v1/recordings');
  assert.equal(asked.status, 503);
  assert.equal(asked.body.error.code, 'DATABASE_UNAVAILABLE');
  assert.equal(asked.body.error.message, 'the database does not answer');
  assert.match(asked.headers.get('retry-after') ?? '', /^\d+$/);
  assertComeAgain(await (await HandPhone.open(scene)).request('INVITE', offer));

  await talking;
  restore();
  await call.hangUp();
  const conversation = await scene.endedConversation({ conference_name: 'before' });
  const samples = await samplesOf(channelFrom(conversation, call).audio);
  assertOnlyRun(samples, decoded(call, call.sentPayloads), 'the call of before');
  await eventually('calls are taken again', async () =>
    (await http.get('/v1/recordings')).status === 200 ? true : undefined,
  );
  const next = await scene.call([scene.join('after')]);
  await next.hangUp();
});

test('out of reach while the application thinks: the caller is told the same', async () => {
  const called = await scene.audience.phone();
  let restore = (): void => undefined;
  app.on('/slow', async () => {
    restore = await cutOff(scene.server.dataDir);
    return { routine: [{ name: 'CallPhone', phone_number: called.sipUri, do_record: true }] };
  });
  const response = await (await HandPhone.open(scene, slowNumber)).request('INVITE', offer);
  restore();
  assertComeAgain(response);
  assert.equal(response.reason, 'DATABASE_UNAVAILABLE');
});
