import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import type { SipEnd } from '../../src/sip/session.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';
import { answer, CallbackApp } from '../../src/testkit/callback-app.ts';
import { channelFrom, samplesOf } from './channel-audio.ts';
import { DirectoryRows } from './directory-rows.ts';
import { eventually } from './eventually.ts';
import { Scene } from './scene.ts';

/** Calls that come to nothing: refused decently, and nothing stays behind. */
const callbackTimeoutMs = 2500;
const bareNumber = '+15559999';

const app = await CallbackApp.create();
const answers: Record<string, unknown> = {
  'status 500': answer(500, { error: 'boom' }),
  'a redirect': answer(302, undefined, { location: app.url('/incoming') }),
  'an empty body': answer(200),
  HTML: answer(200, '<html>Hello</html>', { 'content-type': 'text/html' }),
  'no routine': {},
  'a routine that is no list': { routine: 'JoinConference' },
  'an unknown command': { routine: [{ name: 'MakeCoffee' }] },
  'a command without its parameters': { routine: [{ name: 'JoinConference' }] },
  'a leave key that is none': {
    routine: [{ name: 'JoinConference', conference_name: 'x', leave_key: '**' }],
  },
  'more than it may': { routine: [], padding: 'x'.repeat(100_000) },
};
const broken = Object.entries(answers).map(([what, given], index) => {
  const path = `/broken/${index}`;
  app.on(path, () => given);
  return { what, number: `2${index}`, onIncoming: app.url(path) };
});
let answerSlowly = (): void => undefined;
app.on('/slow', () => new Promise((resolve) => (answerSlowly = () => resolve({ routine: [] }))));
app.on('/silent', () => new Promise(() => undefined));

const scene = await Scene.open({
  settings: {
    CALLREEL_CALLBACKS_TIMEOUT_MS: String(callbackTimeoutMs),
    CALLREEL_CALLBACKS_MAX_BYTES: '50000',
  },
  numbers: [
    ...broken.map(({ number, onIncoming }) => ({ number, onIncoming })),
    { number: '3000', onIncoming: app.url('/silent') },
    { number: '3001', onIncoming: app.url('/slow') },
    { number: '3002', onIncoming: 'http://127.0.0.1:1/refused' },
    { number: '3003', onIncoming: 'http://10.0.0.1/forbidden' },
    { number: '3004' },
  ],
});
after(async () => {
  await scene[Symbol.asyncDispose]();
  await app.close();
});

suite('errors', { concurrency: true }, () => {
  test('a number without an application is not found', async () => {
    await assertRefused('999', 404);
  });

  for (const { what, number } of broken)
    test(`an application that answers ${what}: the call is refused`, async () => {
      await assertRefused(number, 500);
    });

  test('an application that does not answer, refuses, may not be asked, or does not exist', async () => {
    await Promise.all(['3000', '3002', '3003', '3004'].map((number) => assertRefused(number, 500)));
  });

  test('an offer without a common codec is not acceptable', async () => {
    const end = await invite('1000', offerOf('18 96', 'a=rtpmap:96 AMR/8000'));
    assert.deepEqual([end.cause, end.status], ['rejected', 488]);
  });

  test('an offer without audio is not acceptable', async () => {
    const end = await invite('1000', offerOf('0').replace('m=audio', 'm=text'));
    assert.deepEqual([end.cause, end.status], ['rejected', 488]);
  });

  test('an offer that is none is a bad request', async () => {
    const end = await invite('1000', 'hello');
    assert.deepEqual([end.cause, end.status], ['rejected', 400]);
  });

  test('who hangs up while the application thinks is let go, and its late answer changes nothing', async () => {
    const end = await invite('3001', offerOf('0'), async (hangUp) => {
      await app.waitFor('/slow');
      hangUp();
    });
    assert.equal(end.cause, 'local');
    answerSlowly();
    await setTimeout(100);
  });

  test('who hangs up at the answer leaves a conversation that ended', async () => {
    const conference_name = 'at the answer';
    const calls = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const call = await scene.call([scene.join(conference_name, { do_record: true })]);
        void call.hangUp();
        return call;
      }),
    );
    for (const call of calls) assert.equal((await call.ended).cause, 'local');
    const seen = new Set<string>();
    for (const call of calls) {
      const conversation = await eventually('the conversation of each call', async () => {
        for (const { conversation_id } of scene.audience.endedEvents({ conference_name })) {
          const found = await scene.conversation(conversation_id);
          if (found.channels.some(({ from }) => from === call.session.from.user)) return found;
        }
        return undefined;
      });
      seen.add(conversation.conversation_id);
      await samplesOf(channelFrom(conversation, call).audio);
    }
    assert.equal(scene.audience.endedEvents({ conference_name }).length, seen.size);
  });
});

test('afterwards nothing is open and everything is on record as ended', async () => {
  const { calls, media } = scene.server.callreel;
  await eventually('idleness', async () => {
    const { openPorts, legs, rooms, recordings } = (await media.stats())[0]!;
    const held = [openPorts, legs, rooms, recordings, ...Object.values(calls.counts)];
    return held.every((count) => count === 0) ? true : undefined;
  });
  const rows = new DirectoryRows(scene.server.dataDir);
  try {
    const connections = await eventually('the end of every connection on record', async () => {
      const all = await rows.connections();
      const isOver = all.every(({ status, endTime }) => /^(failed|finished)$/.test(status) && endTime);
      return isOver ? all : undefined;
    });
    assert.ok(connections.length > broken.length);
    const unanswered = connections
      .filter(({ to, from }) => to !== '1000' || from === bareNumber)
      .map(({ status }) => status);
    assert.deepEqual(new Set(unanswered), new Set(['failed']));
    const conversations = (await rows.conversations()).map(({ conferenceName }) => conferenceName);
    assert.deepEqual(new Set(conversations), new Set(['at the answer']));
  } finally {
    await rows.close();
  }
});

async function assertRefused(number: string, sipStatus: number): Promise<void> {
  const phone = await scene.audience.phone();
  await assert.rejects(phone.call(scene.server.sipUri(number)), { sipStatus });
}

function offerOf(payloadTypes: string, ...attributes: string[]): string {
  const media = [`m=audio 40000 RTP/AVP ${payloadTypes}`, ...attributes];
  return ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...media, ''].join('\r\n');
}

/** A bare INVITE with this offer. @returns its end */
async function invite(
  number: string,
  offer: string,
  meanwhile?: (hangUp: () => void) => Promise<void>,
): Promise<SipEnd> {
  const agent = new UserAgent({
    clock: systemClock,
    log: () => undefined,
    listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    product: 'test',
    onInvite: (session) => session.reject({ status: 486 }),
  });
  await agent.start();
  scene.audience.routineFor(bareNumber, [scene.join('never reached')]);
  try {
    return await new Promise((ended, failed) => {
      const session = agent.invite({
        requestUri: scene.server.sipUri(number),
        from: `sip:${bareNumber}@127.0.0.1`,
        offer,
        handlers: { ended },
      });
      meanwhile?.(() => session.end()).catch(failed);
    });
  } finally {
    await agent.close();
  }
}
