import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { type Answer, likeSpeaches, startServer } from '../../src/transcription/test-transcription-server.ts';
import { testSpeechToText } from '../../src/transcripts/test-speech-to-text.ts';
import type { Command, ConversationBody, EndedEvent } from './bodies.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';
import { speak } from './verb-stage.ts';

interface Segment {
  connection_id: string;
  text: string;
  timestamp: number;
  start_ms: number;
  end_ms: number;
}
interface Processed extends ConversationBody {
  transcript?: Segment[] | null;
  processors?: { name: string; status: string; error?: { code: string } }[];
}
interface ProcessedEvent extends EndedEvent {
  processor: string;
  status: string;
  error?: { code: string };
}

/** The processor `transcribe` of the Sift dialect, from a server with OpenAI's interface. */
let failure: Answer | undefined;
let count = 0;
const conversation = ['hello there', 'good morning'];
let words = conversation;
const recognizer = await startServer((form) => failure ?? likeSpeaches(words[count++ % words.length]!)(form));
const scene = await Scene.open({ speechToText: testSpeechToText(recognizer) });
const http = new HttpClient(scene.server.callreel);
after(async () => {
  await scene[Symbol.asyncDispose]();
  await recognizer.close();
});

/** Two parties speak, one after the other. @returns the conversation's id, after its end */
async function talk(
  name: string,
  first: Omit<Command, 'name'>,
  second: Omit<Command, 'name'>,
  during: (first: PhoneCall) => Promise<unknown> = async () => undefined,
) {
  words = conversation;
  count = 0;
  const calls = [await scene.call([scene.join(name, first)])];
  await scene.participants(name, 1);
  calls.push(await scene.call([scene.join(name, second)]));
  const parties = await scene.participants(name, 2);
  await speak(calls[0]!, 8000, 41);
  await during(calls[0]!);
  await speak(calls[1]!, 8000, 42);
  await Promise.all(calls.map((call) => call.hangUp()));
  const { conversation_id: id } = await scene.audience.ended({ conference_name: name });
  return { id, connections: parties.map(({ connection_id }) => connection_id) };
}

const read = async (id: string) => (await http.get<Processed>(`/v0/conversations/${id}`)).body;
interface Mark {
  kind: string;
  speaker_label: string | null;
  digit: string | null;
  start_ms: number;
  end_ms: number;
}
/** As our own API gives it. */
async function nativeTranscript(conversationId: string): Promise<{ marks: Mark[] }> {
  const path = `/v1/recordings?conversation_id=${conversationId}`;
  const { body } = await http.get<{ results: { recording_id: string }[] }>(path);
  const transcript = `/v1/recordings/${body.results[0]!.recording_id}/transcript`;
  return (await http.get<{ marks: Mark[] }>(transcript)).body;
}
const told = async (id: string) =>
  await eventually('the processor is told of', () =>
    scene.app
      .requests('/events')
      .map(({ body }) => body as ProcessedEvent)
      .find(({ type, conversation_id }) => type === 'processed' && conversation_id === id),
  );

/** Everything that lies in the spool, with its length. */
function spooled(): string[] {
  const spool = join(scene.server.dataDir, 'spool');
  if (!existsSync(spool)) return [];
  return readdirSync(spool, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${name} ${statSync(join(parentPath, name)).size}`);
}

suite('what parties say to a routine', () => {
  const answerTo = async (path: string): Promise<object> => {
    const { body } = await scene.app.waitFor(path);
    const { account_id, connection_id, ...answer } = body as { account_id: string; connection_id: string };
    assert.match(`${account_id} ${connection_id}`, /^\S+ [0-9a-f]{16}$/);
    return answer;
  };
  const get = (name: string, path: string, extra: object = {}): Command => ({
    ...{ name, on_done: scene.handle(path, () => ({})) },
    ...extra,
  });

  test('GetName and GetNumber: over the prompt too, and nothing of it lies on a disk', async () => {
    words = ['My name is Ann Lee.', 'Forty four.'];
    count = 0;
    const before = spooled();
    const caller = await scene.call([
      get('GetName', '/spoken/name', { prompt_text: 'Please say your name. '.repeat(20) }),
      get('GetNumber', '/spoken/number'),
      get('GetNumber', '/pressed/number'),
      get('GetName', '/spoken/nobody', { timeout_seconds: 0.2 }),
      get('GetName', '/spoken/refused'),
    ]);
    await speak(caller, 8000, 51);
    assert.deepEqual(await answerTo('/spoken/name'), {
      ...{ value: 'ann lee', text: 'My name is Ann Lee.', confidence: 0.78 },
    });
    await speak(caller, 8000, 52);
    assert.deepEqual(await answerTo('/spoken/number'), {
      ...{ digits: '44', value: '44', text: 'Forty four.', confidence: 0.78 },
    });
    for (const key of '042#') await caller.pressDigit(key);
    assert.deepEqual(await answerTo('/pressed/number'), { digits: '042', value: '042' });
    assert.deepEqual(await answerTo('/spoken/nobody'), { value: '', error: 'timeout' });
    failure = { status: 401, body: { error: { message: 'no such key' } } };
    await speak(caller, 8000, 53);
    // The routine goes on to its end.
    assert.deepEqual(await answerTo('/spoken/refused'), { value: '', error: 'invalid' });
    assert.equal((await caller.ended).cause, 'remote');
    assert.deepEqual(spooled(), before);
    failure = undefined;
  });
});

suite('the processor transcribe', () => {
  test('a later party binds it: segments with their speakers on the axis of the channels', async () => {
    const { id, connections } = await talk(
      'bound later',
      { do_record: true },
      { do_record: true, processors: ['transcribe'] },
      async (first) => {
        await first.pressDigit('5');
        await first.hold();
        await first.resume();
      },
    );
    const event = await told(id);
    assert.deepEqual([event.event_type, event.processor, event.status], ['processed', 'transcribe', 'done']);
    assert.equal(event.conference_name, 'bound later');
    const { transcript, processors, channels } = await read(id);
    assert.deepEqual(processors, [{ name: 'transcribe', status: 'done' }]);
    assert.deepEqual(
      transcript?.map(({ connection_id, text }) => [connection_id, text]),
      connections.map((connection, index) => [connection, words[index]]),
    );
    for (const [index, { timestamp, start_ms, end_ms }] of transcript!.entries()) {
      assert.equal(timestamp, start_ms / 1000);
      assert.ok(start_ms >= channels[index]!.start_ms && end_ms <= channels[index]!.end_ms!);
    }
    const { marks } = await nativeTranscript(id);
    assert.deepEqual(
      marks.map(({ kind, speaker_label, digit }) => [kind, speaker_label, digit]),
      [
        ['dtmf', 'Speaker 1', '5'],
        ['hold', 'Speaker 1', null],
      ],
    );
    const [key, hold] = marks;
    assert.ok(
      key!.start_ms >= transcript![0]!.end_ms - 300 && hold!.end_ms <= transcript![1]!.start_ms + 300,
    );
    assert.ok(hold!.start_ms >= key!.end_ms && hold!.end_ms > hold!.start_ms);
  });

  test('after the fact: what was recorded without is processed, once; what there is not is refused', async () => {
    const { id, connections } = await talk('afterwards', { do_record: true }, {});
    assert.equal('transcript' in (await read(id)), false);
    const path = `/v0/conversations/${id}/process`;
    const grade = await http.json<{ error: { where: string } }>('POST', path, { processors: ['grade'] });
    assert.deepEqual([grade.status, grade.body.error.where], [400, 'body.processors']);
    const first = await http.json<Processed>('POST', path, { processors: ['transcribe'] });
    assert.equal(first.status, 200);
    assert.equal(first.body.processors?.[0]?.name, 'transcribe');
    assert.equal((await told(id)).status, 'done');
    const again = await http.json<Processed>('POST', path, { processors: ['transcribe'] });
    assert.deepEqual(
      again.body.transcript?.map(({ connection_id }) => connection_id),
      connections,
    );
    assert.equal(again.body.processors?.[0]?.status, 'done');
  });

  test('that it failed is told with the reason', async () => {
    failure = { status: 401, body: { error: { message: 'no such key' } } };
    const wanted = { do_record: true, processors: ['transcribe'] };
    const { id } = await talk('refused', wanted, wanted);
    const event = await told(id);
    assert.deepEqual([event.status, event.error?.code], ['failed', 'TRANSCRIPTION_REFUSED']);
    const { transcript, processors } = await read(id);
    assert.equal(transcript, null);
    assert.deepEqual(
      [processors?.[0]?.status, processors?.[0]?.error?.code],
      ['failed', 'TRANSCRIPTION_REFUSED'],
    );
  });
});
