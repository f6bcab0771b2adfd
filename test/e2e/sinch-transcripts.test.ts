import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { TestBucket } from '../../src/delivery/test-bucket.ts';
import type { Phone } from '../../src/testkit/phone.ts';
import { type Answer, likeSpeaches, startServer } from '../../src/transcription/test-transcription-server.ts';
import { testSpeechToText } from '../../src/transcripts/test-speech-to-text.ts';
import { drivenDeliveryTime } from './driven-delivery-time.ts';
import { eventually } from './eventually.ts';
import { SinchStage } from './sinch-stage.ts';
import { speak } from './verb-stage.ts';

/** Transcripts of calls, from a server with OpenAI's interface to the bucket. */
let failures: Answer[] = [];
const said = ['hello there', 'good morning'];
const recognizer = await startServer((form, count) => failures.shift() ?? likeSpeaches(wordsOf(count))(form));
const bucket = await TestBucket.start();
const time = drivenDeliveryTime();
const stage = await SinchStage.open({
  deliveryTime: time,
  settings: {
    CALLREEL_DELIVERY_ENDPOINTS_S3: bucket.url.href,
    CALLREEL_SINCH_DEFAULT_DESTINATION: 'sdrive://',
  },
  speechToText: testSpeechToText(recognizer),
});
after(async () => {
  await stage[Symbol.asyncDispose]();
  await bucket.server.stop();
  await recognizer.close();
});

let firstRequest = 0;
/** Each speaker says one thing in each call. */
const wordsOf = (count: number) => said[(count - 1 - firstRequest) % said.length]!;
const credentials = 'AKIDEXAMPLE:wJalrXUtnFEMI:eu-central-1';
const connectSip = ({ sipUri: endpoint }: Phone, more: object) => ({
  ...{ name: 'connectSip', destination: { type: 'sip', endpoint }, record: true, ...more },
});

/** Two parties speak, one after the other; all of it is recorded. */
async function talk(recordingOptions: object): Promise<string> {
  firstRequest = recognizer.received.length;
  const { phone, call: coming } = await stage.called();
  const call = await stage.call({ ice: { action: connectSip(phone, { recordingOptions }) } });
  const called = await coming;
  const callId = await stage.callIdOf(call);
  const { calls } = stage.scene.server.callreel;
  await eventually('two in a conversation', () => calls.conferenceOf(callId)?.memberCount === 2 || undefined);
  await calls.conferenceOf(callId)!.worker.send({ verb: 'worker.stats' });
  await speak(call, 8000, 31);
  await speak(called, 8000, 32);
  await call.hangUp();
  await called.ended;
  return callId;
}

/** What failed is tried again. */
async function tryAgain(): Promise<void> {
  await eventually('the failure', async () => {
    const { body } = await stage.http.get<{ results: object[] }>('/v1/transcripts?state=failing');
    return body.results[0];
  });
  await time.forward(5);
}

const typesOf = (callId: string) => stage.callbacks(callId, 'notify').map(({ type }) => type);
const transcription = (locale = 'en-US') => ({ transcriptionOptions: { enabled: true, locale } });

suite('transcripts', () => {
  test('S39-S46: the file lies beside the recording, exactly of the form, and is told last', async () => {
    const callId = await talk({
      destinationUrl: 's3://bucket/calls/mine.mp3',
      credentials,
      ...transcription(),
    });
    const { destination } = await stage.told(callId, 'notify', 'transcription_available');
    assert.equal(destination, 's3://bucket/calls/mine-transcript.json');
    assert.deepEqual(typesOf(callId), [
      'recording_finished',
      'recording_available',
      'transcription_available',
    ]);
    const stored = bucket.files.get('bucket/calls/mine-transcript.json');
    assert.equal(stored?.contentType, 'application/json');
    const { text, lines, ...others } = JSON.parse(stored!.content.toString());
    assert.deepEqual(others, {});
    assert.equal(text, 'hello there good morning');
    assert.deepEqual(
      lines.map(({ timestamp, ...line }: { timestamp: number }) => line),
      [
        { speakerLabel: 'Speaker 1', text: 'hello there' },
        { speakerLabel: 'Speaker 2', text: 'good morning' },
      ],
    );
    assert.ok(lines[0].timestamp < lines[1].timestamp, JSON.stringify(lines));
  });

  test('S24: in a language that nobody serves there is none, with the reason; the recording is delivered', async () => {
    const callId = await talk({
      destinationUrl: 's3://bucket/es.mp3',
      credentials,
      ...transcription('es-US'),
    });
    const warning = await stage.told(callId, 'notify', 'callingwarning');
    assert.equal(warning.errorCode, 40001);
    assert.match(String(warning.errorMsg), /Spanish \(es-US\) is not served/);
    await stage.told(callId, 'notify', 'recording_available');
    assert.equal(bucket.files.has('bucket/es-transcript.json'), false);
  });

  test('what a busy server refuses is asked again', async () => {
    failures = [{ status: 503, body: { error: { message: 'busy' } } }];
    const callId = await talk({ destinationUrl: 's3://bucket/again.mp3', credentials, ...transcription() });
    await tryAgain();
    await stage.told(callId, 'notify', 'transcription_available');
    assert.deepEqual(typesOf(callId), [
      'recording_finished',
      'recording_available',
      'transcription_available',
    ]);
  });

  test('a storage that refuses the transcript gets it later; the credentials are kept until then', async () => {
    let refused = 0;
    bucket.fault = ({ method, path }) =>
      method === 'PUT' && path.includes('transcript.json') && refused++ === 0 ? { status: 503 } : undefined;
    const callId = await talk({ destinationUrl: 's3://bucket/late.mp3', credentials, ...transcription() });
    await tryAgain();
    await stage.told(callId, 'notify', 'transcription_available');
    assert.equal(refused, 2);
    assert.ok(bucket.files.has('bucket/late-transcript.json'));
  });

  test('it is read and searched by the API, with the moment of each hit; erasing takes it away', async () => {
    const callId = await talk({ destinationUrl: 's3://bucket/found.mp3', credentials, ...transcription() });
    await stage.told(callId, 'notify', 'transcription_available');
    const [recording] = await stage.recordings(({ connection_id }) => connection_id === callId);
    const id = recording!.recording_id;
    const path = `/v1/recordings/${id}/transcript`;
    const { body } = await stage.http.get<{ state: string; text: string; lines: { start_ms: number }[] }>(
      path,
    );
    assert.equal(body.state, 'done');
    assert.equal(body.text.split('\n').length, 2);
    type Found = { results: { recording_id: string; hits: { offset_ms: number; text: string }[] }[] };
    const search = async (q: string) =>
      (await stage.http.get<Found>(`/v1/transcripts?q=${encodeURIComponent(q)}`)).body.results.find(
        (found) => found.recording_id === id,
      );
    const hits = (await search('"good morning" hello'))?.hits;
    assert.deepEqual(
      hits?.map(({ offset_ms }) => offset_ms),
      body.lines.map(({ start_ms }) => start_ms),
    );
    assert.deepEqual(
      (await search('morning -nothing'))?.hits.map(({ text }) => text),
      ['good morning'],
    );
    assert.equal(await search('morning -hello'), undefined);
    const { publicUrl, credentials: own } = stage.scene.server.callreel;
    const authorization = `Basic ${Buffer.from(`${own.accountId}:${own.authToken.reveal()}`).toString('base64')}`;
    assert.equal((await fetch(`${publicUrl}/metrics`)).status, 401);
    const metrics = await (await fetch(`${publicUrl}/metrics`, { headers: { authorization } })).text();
    for (const line of [
      'callreel_metrics_up{of="backlog"} 1',
      'callreel_media_workers 1',
      'callreel_transcripts{state="dead"} 1',
      'callreel_transcripts_oldest_seconds 0',
    ])
      assert.ok(metrics.includes(`${line}\n`), `${line}: ${metrics}`);
    const erased = await fetch(`${publicUrl}/v1/recordings/${id}`, {
      method: 'DELETE',
      headers: { authorization },
    });
    assert.equal(erased.status, 204);
    assert.equal(await search('morning'), undefined);
  });

  test('S50: in our own store it is fetched from where the notification says', async () => {
    const callId = await talk({ destinationUrl: 'sdrive://mine.mp3', ...transcription() });
    const { destination } = await stage.told(callId, 'notify', 'transcription_available');
    const path = '/calling/v1/recording/mine-transcript.json';
    assert.equal(destination, stage.scene.server.callreel.publicUrl + path);
    const { status, body } = await stage.request('GET', path);
    assert.equal(status, 200);
    assert.equal((body as { text: string }).text, 'hello there good morning');
    assert.equal((await stage.request('DELETE', path)).status, 200);
    assert.equal((await stage.request('DELETE', path)).status, 404);
    const recording = '/calling/v1/recording/mine.mp3';
    const listed = (await stage.request('GET', '/calling/v1/recording')).body as { key: string }[];
    assert.ok(
      listed.some(({ key }) => key === 'mine.mp3'),
      'that stays',
    );

    const again = await talk({ destinationUrl: 'sdrive://mine.mp3', ...transcription() });
    await stage.told(again, 'notify', 'transcription_available');
    assert.equal((await stage.request('DELETE', recording)).status, 200);
    for (const gone of [recording, path]) assert.equal((await stage.request('GET', gone)).status, 404);
  });

  test('without transcriptionOptions.enabled there is none', async () => {
    const asked = recognizer.received.length;
    const options = { transcriptionOptions: { enabled: false, locale: 'en-US' } };
    const callId = await talk({ destinationUrl: 's3://bucket/none.mp3', credentials, ...options });
    await stage.told(callId, 'notify', 'recording_available');
    assert.equal(recognizer.received.length, asked);
  });
});

suite('spoken answers to a menu', () => {
  test('enableVoice: a spoken key is one, and an engine that refuses is told of', async () => {
    const menus = [{ id: 'main', repeats: 0, options: [{ dtmf: '1', action: 'return(sales)' }] }];
    const action = { name: 'runMenu', enableVoice: true, locale: 'en-US', menus };
    const answers: Answer[] = [
      { body: { text: 'One, please.' } },
      { status: 401, body: { error: { message: 'no such key' } } },
    ];
    for (const [given, menuResult] of [
      [answers[0], { menuId: 'main', type: 'return', value: 'sales', inputMethod: 'voice' }],
      [answers[1], { menuId: 'main', type: 'error' }],
    ] as const) {
      failures = [given!];
      const call = await stage.call({ ice: { action }, pie: { action: { name: 'hangup' } } });
      const callId = await stage.callIdOf(call);
      await speak(call, 8000, 61);
      assert.deepEqual((await stage.told(callId, 'pie')).menuResult, menuResult);
      if (menuResult.type === 'error') {
        const { errorCode } = await stage.told(callId, 'notify', 'callingwarning');
        assert.equal(errorCode, 50000);
      }
      await call.ended;
    }
  });
});
