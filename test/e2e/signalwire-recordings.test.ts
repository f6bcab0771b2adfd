import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { askedNumber, type RecordEvent, type RestRecording, SignalwireStage } from './signalwire-stage.ts';
import { utter } from './utterance.ts';

/** `/api/relay/rest/recordings` and the download, over recordings that a document made. */
interface ListBody {
  links: { self: string; first: string; next?: string; prev?: string };
  data: RestRecording[];
}

const stage = await SignalwireStage.open();
after(() => stage[Symbol.asyncDispose]());
const path = '/api/relay/rest/recordings';
const kinds = [
  { control_id: 'a', format: 'wav', stereo: true },
  { control_id: 'b', format: 'mp3', stereo: false, direction: 'speak' },
  { control_id: 'c', format: 'mp4', stereo: true, direction: 'listen' },
] as const;
const ended = new Map<string, RecordEvent>();
const list = async (query = '') => (await stage.http.get<ListBody>(path + query)).body;

/** The signature is made anew each time. */
const withoutQuery = (url: string | undefined) => url?.split('?')[0];

before(async () => {
  const steps = kinds.map((kind) => ({ record_call: { ...kind, status_url: stage.statusUrl } }));
  const main = [{ answer: {} }, ...steps, { sleep: 60_000 }];
  stage.document = { version: '1.0.0', sections: { main } };
  const call = await stage.call(askedNumber);
  for (const { control_id } of kinds) {
    const [begun] = await stage.statuses(control_id, 1);
    assert.ok(begun);
    const { params } = begun;
    assert.deepEqual([params.state, params.record, params.duration], ['recording', undefined, undefined]);
    // W15: known from the start, there at the end.
    const early = await fetch(params.url);
    assert.deepEqual([early.status, early.headers.get('retry-after')], [202, '1']);
  }
  await utter(call, tone({ frequencyHz: partyTonesHz[0], durationMs: 400 }));
  await call.hangUp();
  for (const { control_id } of kinds) ended.set(control_id, (await stage.statuses(control_id, 2)).at(-1)!);
});

suite('recordings by REST', () => {
  test('events have both forms, and the real length and size of the file', async () => {
    for (const { control_id, format, stereo, ...rest } of kinds) {
      const { event_type, timestamp, project_id, space_id, params } = ended.get(control_id)!;
      assert.equal(event_type, 'calling.call.record');
      assert.equal(project_id, stage.scene.server.callreel.credentials.accountId);
      assert.ok(space_id);
      assert.ok(Math.abs(timestamp - Date.now() / 1000) < 60);
      const { url, duration, size, record, start_time, end_time } = params;
      assert.match(url, new RegExp(`/api/v1/recordings/${params.recording_id}/download\\?`));
      const direction = 'direction' in rest ? rest.direction : 'both';
      assert.deepEqual(record, { url, duration, size, format, audio: { format, direction, stereo } });
      assert.ok(duration! > 0.4 && end_time! - start_time! > 0.4);
      const bytes = await stage.bytes(ended.get(control_id)!);
      const magic = { wav: 'RIFF', mp3: '\xff', mp4: 'ftyp' }[format];
      assert.ok(Buffer.from(bytes.subarray(0, 8)).toString('latin1').includes(magic));
    }
  });

  test('the list, page by page, and one of it', async () => {
    const all = await list();
    assert.deepEqual(
      all.data.map(({ id }) => id).toSorted(),
      [...ended.values()].map(({ params }) => params.recording_id).toSorted(),
    );
    assert.equal(all.links.next, undefined);
    const seen: string[] = [];
    let url: string | undefined = `${path}?page_size=2`;
    let pages = 0;
    while (url) {
      const { body }: { body: ListBody } = await stage.http.get<ListBody>(url);
      seen.push(...body.data.map(({ id }) => id));
      if (pages > 0) assert.ok(body.links.prev);
      url = body.links.next;
      pages++;
    }
    assert.equal(pages, 2);
    assert.deepEqual(
      seen,
      all.data.map(({ id }) => id),
    );
    for (const { params } of ended.values()) {
      const { body } = await stage.http.get<RestRecording>(`${path}/${params.recording_id}`);
      assert.deepEqual(
        [body.byte_size, body.stereo, body.duration_in_seconds, body.status, body.relay_sip_leg_id],
        [params.size, params.record?.audio.stereo, Math.round(params.duration!), 'completed', params.call_id],
      );
      assert.equal(withoutQuery(body.url), withoutQuery(params.url));
    }
    const before = await list(`?created_before=${encodeURIComponent(new Date(0).toISOString())}`);
    assert.deepEqual(before.data, []);
  });

  test('a file by its link alone, by name and token, by neither', async () => {
    const { url } = ended.get('a')!.params;
    const bare = withoutQuery(url)!;
    assert.equal((await fetch(url, { method: 'HEAD' })).status, 200);
    assert.equal((await fetch(url, { headers: { range: 'bytes=0-3' } })).status, 206);
    const stranger = await fetch(bare);
    assert.deepEqual([stranger.status, await stranger.json()], [401, { error: 'Unauthorized' }]);
    assert.equal((await stage.http.bytes(bare)).length, ended.get('a')!.params.size);
    const forged = url.replace(/signature=.*/, 'signature=AAAA');
    assert.equal((await fetch(forged)).status, 403);
    const other = ended.get('b')!.params.recording_id;
    assert.equal((await fetch(url.replace(ended.get('a')!.params.recording_id, other))).status, 403);
  });

  test('what is deleted is gone everywhere', async () => {
    const { recording_id, url } = ended.get('c')!.params;
    // As the vendor's Python SDK sends it: a type, and no body.
    const { accountId, authToken } = stage.scene.server.callreel.credentials;
    const authorization = `Basic ${Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const { publicUrl } = stage.scene.server.callreel;
    const gone = await fetch(`${publicUrl}${path}/${recording_id}`, { method: 'DELETE', headers });
    assert.equal(gone.status, 204);
    for (const answer of [
      await stage.http.get(`${path}/${recording_id}`),
      await stage.http.delete(`${path}/${recording_id}`),
      await stage.http.get(url),
    ])
      assert.deepEqual([answer.status, answer.body], [404, { error: 'Not Found' }]);
    assert.ok((await list()).data.every(({ id }) => id !== recording_id));
  });

  test('what is wrong is said as the vendor says it', async () => {
    const { status, body } = await stage.http.get<{ errors: Record<string, string>[] }>(
      `${path}?page_size=0`,
    );
    assert.equal(status, 422);
    assert.deepEqual(Object.keys(body.errors[0]!).toSorted(), ['code', 'detail', 'status', 'title']);
    assert.equal((await stage.http.get(`${path}/3fa85f64-5717-4562-b3fc-2c963f66afa6`)).status, 404);
  });
});
