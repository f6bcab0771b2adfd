import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { noise } from '../../src/testkit/noise.ts';
import { Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import type { ConversationBody } from './bodies.ts';
import { channelFrom, samplesOf } from './channel-audio.ts';
import { assertBothHeard, withoutHoles } from './heard.ts';

/** A plain PCM file, as users have them. */
function wavFile(samples: Int16Array): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length * 2, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length * 2, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]);
}

suite('Sift commands on real calls', { concurrency: true }, () => {
  let app: CallbackApp;
  let server: TestServer;
  const phones: Phone[] = [];
  let lastNumber = 15_551_000_000;

  before(async () => {
    app = await CallbackApp.create();
    app.on('/events', () => ({}));
    server = await TestServer.start({
      numbers: Array.from({ length: 20 }, (_, index) => ({
        number: String(3000 + index),
        onIncoming: app.url(`/incoming/${3000 + index}`),
      })),
    });
  });

  after(async () => {
    await Promise.all(phones.map((phone) => phone.close()));
    await server.stop();
    await app.close();
  });

  async function phone(): Promise<Phone> {
    const made = await Phone.create({ number: `+${++lastNumber}` });
    phones.push(made);
    return made;
  }

  async function call(number: string, routine: object[]): Promise<PhoneCall> {
    app.on(`/incoming/${number}`, () => ({ routine }));
    return (await phone()).call(server.sipUri(number));
  }

  function level(samples: Int16Array): number {
    const energy = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
    return 20 * Math.log10(Math.sqrt(energy) / 32_768 + 1e-9);
  }

  test('Say is heard as speech, then the routine goes on to HangUp', async () => {
    const spoken = await call('3000', [
      { name: 'Say', text: 'Welcome to the conference.' },
      { name: 'HangUp' },
    ]);
    assert.equal((await spoken.ended).cause, 'remote');
    const heard = spoken.received();
    assert.ok(heard.length > 8000, `${heard.length} samples`);
    assert.ok(level(heard) > -40, `${level(heard).toFixed(1)} dB`);
  });

  test('Play plays a WAV from a URL, sample by sample as its law allows', async () => {
    const audio = tone({ frequencyHz: 617, durationMs: 1000 });
    const { createServer } = await import('node:http');
    const files = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav' }).end(wavFile(audio));
    });
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
    const { port } = files.address() as { port: number };
    const listener = await call('3001', [{ name: 'Play', sound_url: `http://127.0.0.1:${port}/prompt.wav` }]);
    await listener.ended;
    files.close();
    const levelDbov = toneLevelDbov(withoutHoles(listener.received()), 8000, 617);
    assert.ok(Math.abs(levelDbov + 15) < 1, `${levelDbov.toFixed(1)} dBov`);
  });

  test('a prompt that is not there is skipped and the routine goes on', async () => {
    app.on('/said', () => ({}));
    const routine = [
      { name: 'Play', sound_url: app.url('/nothing.wav') },
      { name: 'Say', text: 'Still here.', on_done: app.url('/said') },
    ];
    const listener = await call('3002', routine);
    await listener.ended;
    assert.ok(level(listener.received()) > -45);
    assert.equal(app.requests('/said').length, 1);
  });

  test('GetDigits gives the digits to on_done, whose routine replaces what is left', async () => {
    app.on('/digits', () => ({ routine: [{ name: 'Say', text: 'Thank you.' }] }));
    const get = { name: 'GetDigits', count: 4, timeout_seconds: 5, on_done: app.url('/digits') };
    const presser = await call('3003', [get, { name: 'JoinConference', conference_name: 'never' }]);
    for (const key of '12*4') await presser.pressDigit(key);
    const { body } = await app.waitFor('/digits');
    assert.equal((body as { digits: string }).digits, '12*4');
    assert.match((body as { connection_id: string }).connection_id, /^[0-9a-f]{16}$/);
    assert.equal((await presser.ended).cause, 'remote');
    assert.ok(level(presser.received()) > -45);
  });

  test('GetDigits with timeout_seconds 0 takes what is pressed during the prompt and waits for nothing', async () => {
    app.on('/at-once', () => ({}));
    const get = { name: 'GetDigits', timeout_seconds: 0, on_done: app.url('/at-once') };
    const silent = await call('3009', [get]);
    const { body } = await app.waitFor('/at-once');
    assert.equal((body as { digits: string }).digits, '');
    await silent.ended;
    app.on('/pressed', () => ({}));
    const prompted = {
      ...get,
      prompt_text: 'One, two, three, four, five, six.',
      on_done: app.url('/pressed'),
    };
    const presser = await call('3010', [prompted]);
    await presser.pressDigit('5');
    const { body: pressed } = await app.waitFor('/pressed');
    assert.equal((pressed as { digits: string }).digits, '5');
    await presser.ended;
  });

  test('GetDigits times out with an empty string', async () => {
    app.on('/late', () => ({}));
    const get = { name: 'GetDigits', count: 4, timeout_seconds: 0.5, on_done: app.url('/late') };
    const silent = await call('3004', [get]);
    const { body } = await app.waitFor('/late');
    assert.equal((body as { digits: string }).digits, '');
    await silent.ended;
    const undecided = await call('3008', [get]);
    for (const key of '12') await undecided.pressDigit(key);
    const isIts = ({ connection_id }: { connection_id: string }) =>
      connection_id !== (body as { connection_id: string }).connection_id;
    const { body: later } = await app.waitFor<{ connection_id: string }>('/late', isIts);
    assert.equal((later as { digits?: string }).digits, '');
    await undecided.ended;
  });

  test('CallPhone through a trunk: both hear each other, both are recorded, the caller goes on alone', async () => {
    const called = await phone();
    const answered = Promise.withResolvers<PhoneCall>();
    called.onCall = async (incoming) => {
      incoming.ring();
      answered.resolve(await incoming.answer());
    };
    const [, port] = /:(\d+)$/.exec(called.sipUri) ?? [];
    const trunk = {
      name: 'carrier',
      host: '127.0.0.1',
      port: Number(port),
      routes: [{ prefix: '+49', cost: 1 }],
    };
    await post('/v1/trunks', trunk);
    await post('/v1/dial-permissions', { prefix: '+49', allow: true });
    app.on('/afterwards', () => ({}));
    const routine = [
      { name: 'CallPhone', phone_number: '+4930123456', do_record: true, event_callback: app.url('/pair') },
      { name: 'Say', text: 'Goodbye.', on_done: app.url('/afterwards') },
    ];
    app.on('/pair', () => ({}));
    const caller = await call('3005', routine);
    const callee = await answered.promise;
    assert.equal(callee.session.to.user, '+4930123456');
    const [first, second] = [noise({ samples: 8000, seed: 5 }), noise({ samples: 8000, seed: 6 })];
    await Promise.all([caller.play(first), callee.play(second)]);
    await assertBothHeard(caller, callee);
    await callee.hangUp();
    await app.waitFor('/afterwards');
    await caller.ended;
    const { body } = await app.waitFor<{ type: string }>('/pair', ({ type }) => type === 'ended');
    const { conversation_id: id } = body as { conversation_id: string };
    const conversation = await server.api<ConversationBody>(`/v0/conversations/${id}`);
    assert.equal(conversation.channels.length, 2);
    assertExactRun(await samplesOf(channelFrom(conversation, caller).audio), caller.sent());
    const [, other] = conversation.channels;
    assert.equal(conversation.channels[0], channelFrom(conversation, caller), 'the caller comes first');
    assert.ok(other, 'the called party has a channel');
    assert.equal(other.to, '+4930123456');
    assertExactRun(await samplesOf(other.audio), callee.sent());
  });

  test('CallPhone to a number that no permission allows is refused, and the routine goes on', async () => {
    app.on('/refused', () => ({}));
    const routine = [
      { name: 'CallPhone', phone_number: '+33123456789' },
      { name: 'Say', text: 'No.', on_done: app.url('/refused') },
    ];
    const caller = await call('3006', routine);
    await app.waitFor('/refused');
    await caller.ended;
  });

  test('live_ flags are answered by a warning event, not by an error', async () => {
    app.on('/warned', () => ({}));
    const join = { name: 'JoinConference', conference_name: 'live', live_transcripts: true };
    const caller = await call('3007', [{ ...join, event_callback: app.url('/warned') }]);
    const { body } = await app.waitFor<{ type: string }>('/warned', ({ type }) => type === 'warning');
    assert.equal((body as { feature: string }).feature, 'live_transcripts');
    await caller.hangUp();
    await app.waitFor<{ type: string }>('/warned', ({ type }) => type === 'ended');
    assert.deepEqual(
      app.requests('/warned').map(({ body: sent }) => (sent as { type: string }).type),
      ['warning', 'ended'],
    );
  });

  async function post(path: string, body: object): Promise<void> {
    const { accountId, authToken } = server.callreel.credentials;
    const pair = Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64');
    const response = await fetch(server.callreel.publicUrl + path, {
      method: 'POST',
      headers: { authorization: `Basic ${pair}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${path}: ${response.status} ${await response.text()}`);
  }
});
