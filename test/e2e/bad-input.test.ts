import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { catalogue } from '../../src/errors.ts';
import { createLogger } from '../../src/logger.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { audioMisbehaviour, BadServer, callbackMisbehaviour, flood, wavHead } from './bad-server.ts';
import type { Command, IncomingBody } from './bodies.ts';
import { assertOnlyRun, channelFrom, samplesOf } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { Scene } from './scene.ts';

/**
 * Whatever a user's servers and routines do wrong, as `docs/dialects/sift.md` says it ("What happens when"). One call
 * is recorded during all of it and must not lose a sample.
 */
/** Nobody but who is meant to is so slow, however busy the machine. */
const callbackTimeoutMs = 5000;
const playbackTimeoutMs = 10_000;
const neighbourName = 'the neighbour';

interface LogLine {
  msg: string;
  connectionId?: string;
  error?: { code?: string; where?: string; todo?: string; message: string };
}

const warnings: Error[] = [];
process.on('warning', (warning) => warnings.push(warning));

const lines: LogLine[] = [];
const log = createLogger('info', { write: (line: string) => lines.push(JSON.parse(line) as LogLine) });

const join = (conference_name: unknown) => ({ name: 'JoinConference', conference_name });
const digits = (parameters: object) => ({ name: 'GetDigits', ...parameters });

/** Documents that are refused as a whole, and the place that is named. */
const badDocuments: { what: string; document: unknown; where: string }[] = [
  { what: 'a routine that is no list', document: { routine: { name: 'HangUp' } }, where: 'routine' },
  { what: 'a command that is none', document: { routine: ['HangUp'] }, where: 'routine[0]' },
  {
    what: 'an unknown command',
    document: { routine: [{ name: 'Say', text: 'Hello.' }, { name: 'MakeCoffee' }] },
    where: 'routine[1].name',
  },
  { what: 'a name that is a number', document: { routine: [join(5)] }, where: 'routine[0].conference_name' },
  {
    what: 'a flag that is a text',
    document: { routine: [{ ...join('x'), do_record: 'yes' }] },
    where: 'routine[0].do_record',
  },
  { what: 'a text that is missing', document: { routine: [{ name: 'Say' }] }, where: 'routine[0].text' },
  {
    what: 'a text of 6,000 characters',
    document: { routine: [{ name: 'Say', text: 'a '.repeat(3000) }] },
    where: 'routine[0].text',
  },
  {
    what: 'a conference name of 10 kB',
    document: { routine: [join('x'.repeat(10_000))] },
    where: 'routine[0].conference_name',
  },
  {
    what: 'half a surrogate pair in a name',
    document: { routine: [join('\ud800')] },
    where: 'body.routine[0].conference_name',
  },
  {
    what: 'NUL in a URL',
    document: { routine: [{ ...join('x'), event_callback: 'http://127.0.0.1/\0' }] },
    where: 'body.routine[0].event_callback',
  },
  {
    what: 'a sound of another scheme',
    document: { routine: [{ name: 'Play', sound_url: 'file:///etc/passwd' }] },
    where: 'routine[0].sound_url',
  },
  { what: 'no digits', document: { routine: [digits({ count: 0 })] }, where: 'routine[0].count' },
  { what: '1e9 digits', document: { routine: [digits({ count: 1e9 })] }, where: 'routine[0].count' },
  { what: '1.5 digits', document: { routine: [digits({ count: 1.5 })] }, where: 'routine[0].count' },
  {
    what: 'a time-out before now',
    document: { routine: [digits({ timeout_seconds: -1 })] },
    where: 'routine[0].timeout_seconds',
  },
  {
    what: 'a time-out of 1e308 s',
    document: { routine: [digits({ timeout_seconds: 1e308 })] },
    where: 'routine[0].timeout_seconds',
  },
  {
    what: 'a time-out in words',
    document: { routine: [digits({ timeout_seconds: 'soon' })] },
    where: 'routine[0].timeout_seconds',
  },
  {
    what: 'a terminator that is no key',
    document: { routine: [digits({ terminator: 'hash' })] },
    where: 'routine[0].terminator',
  },
  {
    what: '201 commands',
    document: { routine: Array.from({ length: 201 }, () => ({ name: 'HangUp' })) },
    where: 'routine',
  },
];

const audioCodes: Record<keyof typeof audioMisbehaviour, string> = {
  'not audio': 'AUDIO_INVALID',
  'an empty file': 'AUDIO_INVALID',
  'the head of a WAV and nothing else': 'AUDIO_INVALID',
  'a WAV of no samples': 'AUDIO_INVALID',
  'a WAV of 0 Hz': 'AUDIO_INVALID',
  'a WAV of a thousand channels': 'AUDIO_INVALID',
  'endless, fast': 'AUDIO_TOO_LONG',
  'more than 50 MB': 'AUDIO_TOO_LONG',
};

const bad = await BadServer.start();
const misbehaving = Object.entries(callbackMisbehaviour).map(([what, how]) => ({
  what: `answers ${what}`,
  url: bad.url(how),
  code: 'CALLBACK_FAILED',
  where: undefined,
}));
const malformed = badDocuments.map(({ what, document, where }) => ({
  what: `answers with ${what}`,
  url: bad.url((response) => response.end(JSON.stringify(document))),
  code: 'DOCUMENT_INVALID',
  where,
}));
const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
const unreachable = [
  {
    what: 'answers with nesting without end',
    url: bad.url((response) => response.end(`{"routine": ${nested}}`)),
    code: 'DOCUMENT_INVALID',
    where: 'body',
  },
  { what: 'refuses the connection', url: 'http://127.0.0.1:1/', code: 'CALLBACK_FAILED', where: undefined },
  {
    what: 'is in a private network',
    url: 'http://10.0.0.1/',
    code: 'CALLBACK_FORBIDDEN',
    where: '10.0.0.1',
  },
];
const badCallbacks = [...misbehaving, ...malformed, ...unreachable];

/** No routine: at the beginning there must be one, later the rest of the present one goes on. */
const noRoutines = [
  { what: 'nothing', body: '', where: 'body' },
  { what: 'something else', body: '{"thanks": true}', where: 'routine' },
  { what: 'a text', body: '"JoinConference"', where: 'body' },
].map(({ what, body, where }) => ({ what, where, url: bad.url((response) => response.end(body)) }));

const scene = await Scene.open({
  log,
  settings: {
    CALLREEL_CALLBACKS_TIMEOUT_MS: String(callbackTimeoutMs),
    CALLREEL_PLAYBACK_TIMEOUT_MS: String(playbackTimeoutMs),
  },
  numbers: [
    ...badCallbacks.map(({ url }, index) => ({ number: `9${index}`, onIncoming: url })),
    ...noRoutines.map(({ url }, index) => ({ number: `8${index}`, onIncoming: url })),
  ],
});
after(async () => {
  await scene[Symbol.asyncDispose]();
  await bad.close();
});
scene.app.on('/after', () => ({}));

const neighbour = await scene.call([scene.join(neighbourName, { do_record: true })]);
let isOver = false;
const speaking = speakWithoutPause(neighbour, () => isOver);

/** Noise that repeats nowhere, planned ahead, so that no late moment of this process makes a pause. */
async function speakWithoutPause(call: PhoneCall, over: () => boolean): Promise<void> {
  let current = call.play(noise({ samples: 8000, seed: 1 }));
  for (let seed = 2; !over(); seed++) {
    const next = call.play(noise({ samples: 8000, seed }));
    assert.equal(await current, true);
    current = next;
  }
  await current;
}

let calls = 0;

/** What the log says about a call, in the words of the catalogue. */
function loggedErrors(connectionId: string): { code: string; where: string | undefined }[] {
  return lines
    .filter((line) => line.connectionId === connectionId && line.error)
    .map(({ error }) => {
      const code = String(error?.code);
      assert.ok(code in catalogue, `${code}: ${error?.message}`);
      assert.equal(error?.todo, catalogue[code as keyof typeof catalogue].todo);
      return { code, where: error?.where };
    });
}

function connectionFrom(number: string): Promise<string> {
  return eventually(`the connection from ${number}`, async () => {
    const path = `/v0/connections?from=${encodeURIComponent(number)}`;
    const { results } = await scene.server.api<{ results: { connection_id: string }[] }>(path);
    return results[0]?.connection_id;
  });
}

/** A recorded stay in a conference, then the commands in question. */
async function recordedThen(commands: readonly object[]) {
  const number = `+1777${String(++calls).padStart(7, '0')}`;
  const conference_name = `before ${number}`;
  const stay = scene.join(conference_name, { do_record: true, leave_key: '#' });
  const call = await scene.call([stay, ...(commands as Command[])], { number });
  const isIts = ({ connection }: IncomingBody) => connection.from === number;
  const { body } = await scene.app.waitFor<IncomingBody>('/incoming', isIts);
  const { connection_id: connectionId } = (body as IncomingBody).connection;
  assert.equal(await call.play(noise({ samples: 4000, seed: 5000 + calls })), true);
  await call.pressDigit('#');
  return { call, connectionId, conference_name };
}

async function assertKept(call: PhoneCall, conference_name: string): Promise<void> {
  const { audio } = channelFrom(await scene.endedConversation({ conference_name }), call);
  assertOnlyRun(await samplesOf(audio), call.sent(), 'what was recorded before');
}

/** After the commands the routine goes on to its end, and what was recorded before them is kept. */
async function goesOn(commands: readonly object[]): Promise<{ code: string; where: string | undefined }[]> {
  const last = { name: 'Say', text: '', on_done: scene.app.url('/after') };
  const { call, connectionId, conference_name } = await recordedThen([...commands, last]);
  await scene.app.waitFor<{ connection_id: string }>(
    '/after',
    ({ connection_id }) => connection_id === connectionId,
    60_000,
  );
  assert.equal((await call.ended).cause, 'remote');
  await assertKept(call, conference_name);
  return loggedErrors(connectionId);
}

suite('bad input', { concurrency: 16 }, () => {
  for (const [index, { what, code, where, url }] of badCallbacks.entries()) {
    test(`an on_incoming that ${what}: the call is refused with 500`, async () => {
      const number = `+1888${String(index).padStart(7, '0')}`;
      const refused = scene.audience.call(scene.server.sipUri(`9${index}`), [], { number });
      await assert.rejects(refused, { sipStatus: 500 });
      const [error, ...others] = loggedErrors(await connectionFrom(number));
      assert.equal(error?.code, code);
      if (where !== undefined) assert.equal(error?.where, where);
      assert.deepEqual(others, []);
    });

    test(`an on_done that ${what}: the routine goes on`, async () => {
      const [error, ...others] = await goesOn([{ name: 'Say', text: '', on_done: url }]);
      assert.equal(error?.code, code);
      if (where !== undefined) assert.equal(error?.where, where);
      assert.deepEqual(others, []);
    });
  }

  for (const [index, { what, url, where }] of noRoutines.entries()) {
    test(`an on_incoming that says ${what}: the call is refused with 500`, async () => {
      const number = `+1999000000${index}`;
      const refused = scene.audience.call(scene.server.sipUri(`8${index}`), [], { number });
      await assert.rejects(refused, { sipStatus: 500 });
      assert.deepEqual(loggedErrors(await connectionFrom(number)), [{ code: 'DOCUMENT_INVALID', where }]);
    });

    test(`an on_done that says ${what}: the routine goes on, and that is no error`, async () => {
      assert.deepEqual(await goesOn([{ name: 'Say', text: '', on_done: url }]), []);
    });
  }

  test('an on_incoming that answers with an empty routine: the call ends unanswered, and the log says why', async () => {
    const number = '+19990000010';
    await assert.rejects(scene.call([], { number }), { sipStatus: 480 });
    const [error, ...others] = loggedErrors(await connectionFrom(number));
    assert.deepEqual([error, others], [{ code: 'DOCUMENT_INVALID', where: 'routine' }, []]);
  });

  for (const [what, how] of Object.entries(audioMisbehaviour))
    test(`a Play URL: ${what}: the prompt is skipped`, async () => {
      const [error, ...others] = await goesOn([{ name: 'Play', sound_url: bad.url(how) }]);
      assert.equal(error?.code, audioCodes[what] ?? 'AUDIO_UNREACHABLE');
      assert.deepEqual(others, []);
    });

  test('a Play URL in a private network: the prompt is skipped', async () => {
    const errors = await goesOn([{ name: 'Play', sound_url: 'http://169.254.169.254/latest/meta-data' }]);
    assert.deepEqual(errors, [{ code: 'CALLBACK_FORBIDDEN', where: '169.254.169.254' }]);
  });

  for (const { what, dataBytes, ...format } of [
    { what: 'nearly 50 MB', dataBytes: 49_000_000, rateHz: 48_000, channels: 2 },
    { what: 'nearly 30 minutes', dataBytes: 1795 * 16_000, rateHz: 8000, channels: 1 },
  ])
    test(`a Play URL of ${what} is played, until the caller hangs up`, async () => {
      const sound_url = bad.url((response) => {
        response.writeHead(200, { 'content-length': String(dataBytes + 44) });
        response.write(wavHead({ dataBytes, ...format }));
        return flood(response, dataBytes);
      });
      const { call, connectionId, conference_name } = await recordedThen([{ name: 'Play', sound_url }]);
      await eventually('a second of it', () => (call.received().length > 8000 ? true : undefined));
      await call.hangUp();
      assert.deepEqual(loggedErrors(connectionId), []);
      await assertKept(call, conference_name);
    });

  test('a Say of 5,000 characters is spoken, until the caller hangs up', async () => {
    const text = 'This goes on and on. '.repeat(238);
    const { call, connectionId, conference_name } = await recordedThen([{ name: 'Say', text }]);
    await eventually('a second of it', () => (call.received().length > 8000 ? true : undefined));
    await call.hangUp();
    assert.deepEqual(loggedErrors(connectionId), []);
    await assertKept(call, conference_name);
  });

  for (const [what, command] of [
    ['a prompt', { name: 'Play', sound_url: bad.url(() => undefined) }],
    ['an on_done', { name: 'Say', text: '', on_done: bad.url(() => undefined) }],
  ] as const)
    test(`the caller hangs up while ${what} is waited for`, async () => {
      const { call, conference_name } = await recordedThen([command]);
      await setTimeout(200);
      await call.hangUp();
      await assertKept(call, conference_name);
    });

  test('a prompt of GetDigits that is not there: the digits are collected all the same', async () => {
    scene.app.on('/digits', () => ({}));
    const prompt_url = bad.url(audioMisbehaviour['404']!);
    const on_done = scene.app.url('/digits');
    const { call, connectionId } = await recordedThen([digits({ count: 2, prompt_url, on_done })]);
    await eventually('the missing prompt', () => loggedErrors(connectionId)[0]);
    await call.pressDigit('4');
    await call.pressDigit('2');
    const { body } = await scene.app.waitFor('/digits');
    assert.equal((body as { digits: string }).digits, '42');
    assert.equal((await call.ended).cause, 'remote');
  });

  test('every on_done answers with another routine: the call is ended before long', async () => {
    const again = { routine: [{ name: 'Say', text: '', on_done: scene.app.url('/again') }] };
    scene.app.on('/again', () => again);
    const { call, connectionId, conference_name } = await recordedThen(again.routine);
    assert.equal((await call.ended).cause, 'remote');
    assert.deepEqual(loggedErrors(connectionId), [{ code: 'DOCUMENT_INVALID', where: 'routine' }]);
    assert.ok(scene.app.requests('/again').length < 200);
    await assertKept(call, conference_name);
  });
});

test('the call beside all of it was recorded without a gap', async () => {
  isOver = true;
  await speaking;
  const sent = neighbour.sent();
  assert.equal(sent.length, neighbour.sentPayloads.length * 160, 'the phone itself made a pause');
  await neighbour.hangUp();
  const { channels } = await scene.endedConversation({ conference_name: neighbourName });
  const { ringOverflows } = (await scene.server.callreel.media.stats())[0]!;
  assert.equal(ringOverflows, 0);
  assert.equal(channels.length, 1);
  assertOnlyRun(await samplesOf(channels[0]!.audio), sent, 'the neighbour');
});

test('afterwards nothing is open', async () => {
  const { calls: live, media } = scene.server.callreel;
  await eventually('idleness', async () => {
    const { openPorts, legs, rooms, recordings } = (await media.stats())[0]!;
    const held = [openPorts, legs, rooms, recordings, ...Object.values(live.counts)];
    return held.every((count) => count === 0) ? true : undefined;
  });
  const unexpected = lines.filter(({ error }) => error?.code === 'INTERNAL' || (error && !error.code));
  assert.deepEqual(unexpected, []);
  const leaks = warnings.filter(({ name }) => name === 'MaxListenersExceededWarning');
  assert.deepEqual(leaks, [], 'listeners that nobody removed');
});
