import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { TestServer } from '../../src/testkit/server.ts';
import type { CallBody } from './call-bodies.ts';
import { Audience, calledNumber } from './scene.ts';

const dataDir = makeTemporaryDir();
const audience = await Audience.create();
after(async () => {
  await audience[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

test('a server that stops writes what it has of calls that ended a moment ago, and of those it ends', async () => {
  const { numbers } = audience;
  const first = await TestServer.start({ dataDir, numbers });
  const uri = first.sipUri(calledNumber);
  const join = [audience.join('restart', { do_record: true })];
  const [ended, running] = [await audience.call(uri, join), await audience.call(uri, join)];
  await ended.hangUp();
  await first.stop();
  await running.ended;

  const second = await TestServer.start({ dataDir, numbers });
  try {
    const { results } = await second.api<{ results: { call_id: string }[] }>('/v1/calls');
    assert.equal(results.length, 2);
    for (const { call_id } of results) {
      const { messages, legs } = await second.api<CallBody>(`/v1/calls/${call_id}`);
      const seen = messages.map(({ method, status }) => status ?? method);
      for (const wanted of ['INVITE', 200, 'ACK', 'BYE']) assert.ok(seen.includes(wanted), `${seen}`);
      assert.ok(legs[0]!.media);
    }
  } finally {
    await second.stop();
  }
});
