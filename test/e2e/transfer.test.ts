import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { formatReplaces, replacesOf } from '../../src/sip/replaces.ts';
import { Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import type { ChannelBody, Command, ConversationBody, EndedEvent } from './bodies.ts';
import { channelFrom, samplesOf } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { assertHeard } from './heard.ts';
import { HttpClient } from './http-client.ts';
import { calledNumber, Scene } from './scene.ts';

/** Row T6 of the field's acceptance tests: the recording goes on through every transfer. */
const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());
const client = new HttpClient(scene.server.callreel);
await client.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });

const [callerHz, agentHz, thirdHz, fourthHz] = partyTonesHz;
const ringbackHz = 425;

function speak(call: PhoneCall, frequencyHz: number): Promise<boolean> {
  return call.play(tone({ frequencyHz, durationMs: 600 }));
}

/** The next call to the phone, answered. */
function nextCall(phone: Phone): Promise<PhoneCall> {
  const { promise, resolve, reject } = Promise.withResolvers<PhoneCall>();
  phone.onCall = (incoming) => incoming.answer().then(resolve, reject);
  return promise;
}

/** Somebody calls in and is put through to `agent` by SIP URI; both are recorded. */
async function putThrough(agent: Phone, path: string): Promise<{ caller: PhoneCall; atAgent: PhoneCall }> {
  const answered = nextCall(agent);
  const caller = await scene.call([dial(agent, path)]);
  return { caller, atAgent: await answered };
}

function dial(phone: Phone, path: string): Command {
  const event_callback = scene.handle(path, () => ({}));
  return { name: 'CallPhone', phone_number: phone.sipUri, do_record: true, event_callback };
}

async function endedAt(path: string): Promise<ConversationBody> {
  const { body } = await scene.app.waitFor<EndedEvent>(path, ({ type }) => type === 'ended');
  return scene.conversation((body as EndedEvent).conversation_id);
}

function channelTo(conversation: ConversationBody, phone: Phone): ChannelBody {
  const [channel, ...others] = conversation.channels.filter(({ to }) => to === phone.sipUri);
  assert.ok(channel, `no channel to ${phone.sipUri}`);
  assert.equal(others.length, 0);
  return channel;
}

/** Which of the parties' tones are heard at any time. */
function heardTones(samples: Int16Array, tonesHz: readonly number[] = partyTonesHz): number[] {
  const length = 1600;
  const spans = Array.from({ length: Math.floor(samples.length / length) }, (_, index) => ({
    start: index * length,
    end: (index + 1) * length,
  }));
  return tonesHz.filter((frequencyHz) =>
    spans.some((span) => toneLevelDbov(samples, 8000, frequencyHz, span) > -30),
  );
}

async function tonesIn(channel: ChannelBody): Promise<number[]> {
  return heardTones(await samplesOf(channel.audio));
}

/** One recording holds the caller from the first word to the last, as it was said. */
async function assertContinuous(conversation: ConversationBody, caller: PhoneCall): Promise<void> {
  const channel = channelFrom(conversation, caller);
  assertExactRun(await samplesOf(channel.audio), caller.sent(), {
    label: 'the caller, from beginning to end',
  });
  for (const { start_ms, end_ms } of conversation.channels)
    assert.ok(start_ms >= channel.start_ms - 1 && end_ms! <= channel.end_ms! + 1000, 'within the recording');
}

async function settled(): Promise<void> {
  await setTimeout(150);
}

suite('T6: transfers', { concurrency: true }, () => {
  test('T6 blind: the caller stays, the new party joins, the transferor leaves; one recording', async () => {
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const { caller, atAgent } = await putThrough(agent, '/blind');
    await Promise.all([speak(caller, callerHz), speak(atAgent, agentHz)]);
    await settled();
    const taken = nextCall(third);
    const told: number[] = [];
    const outcome = await atAgent.transfer(third.sipUri, { progress: (status) => told.push(status) });
    assert.deepEqual(outcome, { status: 200, reason: 'OK' });
    assert.equal(told[0], 100);
    assert.equal((await atAgent.ended).cause, 'remote');
    const atThird = await taken;
    await Promise.all([speak(caller, callerHz), speak(atThird, thirdHz)]);
    await assertHeard(caller, atThird, 'what the caller heard of the new party');
    await atThird.hangUp();
    await caller.ended;

    const conversation = await endedAt('/blind');
    assert.equal(conversation.channels.length, 3);
    await assertContinuous(conversation, caller);
    assert.deepEqual(await tonesIn(channelFrom(conversation, caller)), [callerHz]);
    assert.deepEqual(await tonesIn(channelTo(conversation, agent)), [agentHz]);
    assert.deepEqual(await tonesIn(channelTo(conversation, third)), [thirdHz]);
    const joined = channelTo(conversation, third);
    assertExactRun(await samplesOf(joined.audio), atThird.sent(), { label: 'recorded of the new party' });
    assert.deepEqual(heardTones(atThird.received()), [callerHz], 'what the new party heard');
  });

  test('T6 blind: the caller transfers, the called party stays', async () => {
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const { caller, atAgent } = await putThrough(agent, '/turned');
    await Promise.all([speak(caller, callerHz), speak(atAgent, agentHz)]);
    const taken = nextCall(third);
    assert.equal((await caller.transfer(third.sipUri)).status, 200);
    await caller.ended;
    const atThird = await taken;
    await Promise.all([speak(atAgent, agentHz), speak(atThird, thirdHz)]);
    await settled();
    await atAgent.hangUp();
    assert.equal((await atThird.ended).cause, 'remote');

    const conversation = await endedAt('/turned');
    assert.equal(conversation.channels.length, 3);
    const channel = channelTo(conversation, agent);
    assertExactRun(await samplesOf(channel.audio), atAgent.sent(), { label: 'who stayed' });
    assert.deepEqual(await tonesIn(channelTo(conversation, third)), [thirdHz]);
  });

  test('T6 blind: who waits hears the new party ring, until it answers', async () => {
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const { caller, atAgent } = await putThrough(agent, '/waiting');
    const rings = () => heardTones(caller.received(), [ringbackHz]).length > 0 || undefined;
    const { promise: taken, resolve } = Promise.withResolvers<PhoneCall>();
    third.onCall = async (incoming) => {
      incoming.ring();
      await eventually('the ringing tone', rings);
      resolve(await incoming.answer());
    };
    assert.equal((await atAgent.transfer(third.sipUri)).status, 200);
    const atThird = await taken;
    await speak(atThird, thirdHz);
    await settled();
    const samples = caller.received();
    assert.deepEqual(heardTones(samples.subarray(-4000), [...partyTonesHz, ringbackHz]), [thirdHz]);
    assert.deepEqual(heardTones(atAgent.received(), [ringbackHz]), [], 'who transfers hears no tone');
    await atThird.hangUp();
    await caller.ended;
    const conversation = await endedAt('/waiting');
    for (const { audio } of conversation.channels)
      assert.deepEqual(
        heardTones(await samplesOf(audio), [ringbackHz]),
        [],
        "what we play is nobody's words",
      );
  });

  test('T6 blind: the transferor hangs up before the new party answers', async () => {
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const { caller, atAgent } = await putThrough(agent, '/impatient');
    await speak(caller, callerHz);
    const { promise: taken, resolve } = Promise.withResolvers<PhoneCall>();
    third.onCall = async (incoming) => {
      incoming.ring();
      await atAgent.hangUp();
      resolve(await incoming.answer());
    };
    await atAgent.transfer(third.sipUri);
    const atThird = await taken;
    await Promise.all([speak(caller, callerHz), speak(atThird, thirdHz)]);
    await settled();
    await caller.hangUp();
    await atThird.ended;
    const conversation = await endedAt('/impatient');
    await assertContinuous(conversation, caller);
    assert.deepEqual(await tonesIn(channelTo(conversation, third)), [thirdHz]);
  });

  test('T6 blind: out of a conference, which goes on', async () => {
    const third = await scene.audience.phone();
    const command = scene.join('desk', { do_record: true });
    const ann = await scene.call([command]);
    const bob = await scene.call([command]);
    await scene.participants('desk', 2);
    const taken = nextCall(third);
    assert.equal((await bob.transfer(third.sipUri)).status, 200);
    await bob.ended;
    const atThird = await taken;
    await scene.participants('desk', 2, ({ connection_id }) => connection_id !== undefined);
    await Promise.all([speak(ann, callerHz), speak(atThird, thirdHz)]);
    await settled();
    await Promise.all([ann.hangUp(), atThird.hangUp()]);
    const conversation = await scene.endedConversation({ conference_name: 'desk' });
    assert.equal(conversation.channels.length, 3);
    assert.deepEqual(await tonesIn(channelTo(conversation, third)), [thirdHz]);
    assertExactRun(await samplesOf(channelFrom(conversation, ann).audio), ann.sent());
  });

  test('T6 attended: the two others are put together in the first conversation; one recording', async () => {
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const { caller, atAgent } = await putThrough(agent, '/attended');
    await Promise.all([speak(caller, callerHz), speak(atAgent, agentHz)]);
    await atAgent.hold('inactive');
    const taken = nextCall(third);
    scene.audience.routineFor(numberOf(agent), [dial(third, '/consultation')]);
    const consulting = await agent.call(scene.server.sipUri(calledNumber));
    const atThird = await taken;
    await Promise.all([speak(consulting, agentHz), speak(atThird, fourthHz)]);
    await settled();
    assert.equal((await atAgent.attendedTransfer(consulting)).status, 200);
    await Promise.all([atAgent.ended, consulting.ended]);
    const consulted = await endedAt('/consultation');
    assert.equal(consulted.channels.length, 2);
    assert.deepEqual(await tonesIn(channelTo(consulted, third)), [fourthHz]);
    await Promise.all([speak(caller, callerHz), speak(atThird, thirdHz)]);
    await settled();
    await caller.hangUp();
    assert.equal((await atThird.ended).cause, 'remote');

    const conversation = await endedAt('/attended');
    assert.equal(conversation.channels.length, 3);
    await assertContinuous(conversation, caller);
    assert.deepEqual(await tonesIn(channelTo(conversation, agent)), [agentHz]);
    assert.deepEqual(await tonesIn(channelTo(conversation, third)), [thirdHz], 'nothing of the consultation');
    assert.deepEqual(heardTones(caller.received()), [agentHz, thirdHz], 'what the caller heard');
  });

  test('T6 attended: an INVITE with Replaces takes the place of a party', async () => {
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const { caller, atAgent } = await putThrough(agent, '/replaced');
    await Promise.all([speak(caller, callerHz), speak(atAgent, agentHz)]);
    await settled();
    const replaces = replacesOf(atAgent.session);
    assert.ok(replaces);
    const headers = [
      { name: 'Replaces', value: formatReplaces(replaces) },
      { name: 'Require', value: 'replaces' },
    ];
    const stranger = await Phone.create({ number: 'stranger', host: '127.0.0.2' });
    await assert.rejects(
      stranger.call(scene.server.sipUri('nobody'), { headers }),
      /403/,
      'of another address',
    );
    await stranger.close();
    const atThird = await third.call(scene.server.sipUri('nobody'), { headers });
    assert.equal((await atAgent.ended).cause, 'remote');
    await Promise.all([speak(caller, callerHz), speak(atThird, thirdHz)]);
    await assertHeard(caller, atThird, 'what the caller heard of the new party');
    await atThird.hangUp();
    await caller.ended;
    await assert.rejects(third.call(scene.server.sipUri('nobody'), { headers }), /481|603/);

    const conversation = await endedAt('/replaced');
    assert.equal(conversation.channels.length, 3);
    await assertContinuous(conversation, caller);
    assert.deepEqual(await tonesIn(channelFrom(conversation, atThird)), [thirdHz]);
  });

  test('T6 failed: nobody leaves, whatever the reason, and the recording goes on', async () => {
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const { caller, atAgent } = await putThrough(agent, '/failed');
    await Promise.all([speak(caller, callerHz), speak(atAgent, agentHz)]);
    await atAgent.hold('inactive');
    third.onCall = (incoming) => incoming.reject(486);
    assert.equal((await atAgent.transfer(third.sipUri)).status, 486);
    // No permission allows it.
    assert.equal((await atAgent.transfer('sip:third@192.0.2.1')).status, 403);
    assert.equal((await atAgent.transfer('tel:+15550001111')).status, 403);
    // A user at this server that is not registered.
    assert.equal((await atAgent.transfer(scene.server.sipUri('nobody'))).status, 404);
    await atAgent.resume();
    await Promise.all([speak(caller, callerHz), speak(atAgent, agentHz)]);
    await settled();
    assert.equal(caller.session.state, 'established');
    await atAgent.hangUp();
    await caller.ended;

    const conversation = await endedAt('/failed');
    assert.equal(conversation.channels.length, 2);
    await assertContinuous(conversation, caller);
    const channel = channelTo(conversation, agent);
    assertExactRun(await samplesOf(channel.audio), atAgent.sent(), {
      label: 'the transferor, before and after',
    });
  });

  test('T6 failed: the caller gives up while the new party rings', async () => {
    const [agent, third] = [await scene.audience.phone(), await scene.audience.phone()];
    const { caller, atAgent } = await putThrough(agent, '/given-up');
    const { promise: cancelled, resolve } = Promise.withResolvers<string>();
    third.onCall = (incoming) => {
      incoming.ring();
      incoming.session.handlers = { ended: ({ cause }) => resolve(cause) };
      void caller.hangUp();
    };
    const outcome = await atAgent.transfer(third.sipUri);
    assert.equal(outcome.status, 487);
    assert.equal(await cancelled, 'cancelled');
    await atAgent.ended;
    assert.equal((await endedAt('/given-up')).channels.length, 2);
  });

  test('a party in no conversation transfers nobody', async () => {
    const lone = await scene.call([{ name: 'GetDigits', count: 1, on_done: '' }]);
    await assert.rejects(lone.transfer('sip:third@127.0.0.1'), { code: 'SIP_REFUSED', where: '603' });
    await lone.hangUp();
  });
});

function numberOf(phone: Phone): string {
  return /^sip:(.*)@/.exec(phone.sipUri)![1]!;
}
