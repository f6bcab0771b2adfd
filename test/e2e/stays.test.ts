import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertNoRun } from '../../src/testkit/sample-run.ts';
import { assertOnlyRun, channelFrom, channelsFrom, samplesOf } from './channel-audio.ts';
import { Scene } from './scene.ts';
import { say } from './utterance.ts';

/** A party's stays: leaving and coming back, and what is recorded of whom. */
const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

suite('stays', { concurrency: true }, () => {
  test('who leaves by key and re-joins in the same call has two channels of one connection', async () => {
    const command = scene.join('by key', { do_record: true, leave_key: '*' });
    const ann = await scene.call([command, command]);
    const bob = await scene.call([command]);
    const [first] = await scene.participants('by key', 2);
    const before = await say(ann, 11);
    await ann.pressDigit('*');
    await scene.participants('by key', 2, ({ channel_id }) => channel_id !== first!.channel_id);
    const afterwards = await say(ann, 12);
    await Promise.all([ann.hangUp(), bob.hangUp()]);

    const conversation = await scene.endedConversation({ conference_name: 'by key' });
    const stays = channelsFrom(conversation, ann);
    assert.equal(conversation.channels.length, 3);
    assert.deepEqual(new Set(stays.map((stay) => stay.connection_id)), new Set([first!.connection_id]));
    const [left, returned] = stays;
    assert.ok(left!.end_ms! <= returned!.start_ms, `${left!.end_ms} to ${returned!.start_ms}`);
    assertOnlyRun(await samplesOf(left!.audio), before, 'before leaving');
    assertOnlyRun(await samplesOf(returned!.audio), afterwards, 'after the return');
  });

  test('the last one out by key who comes back at once is in a new conversation', async () => {
    const command = scene.join('alone', { do_record: true, leave_key: '#' });
    const ann = await scene.call([command, command]);
    const [first] = await scene.participants('alone', 1);
    const before = await say(ann, 21);
    await ann.pressDigit('#');
    await scene.participants('alone', 1, ({ channel_id }) => channel_id !== first!.channel_id);
    const afterwards = await say(ann, 22);
    const left = await scene.endedConversation({ conference_name: 'alone' });
    await ann.hangUp();
    const [, second] = await scene.audience.allEnded({ conference_name: 'alone' }, 2);

    assert.notEqual(second!.conversation_id, left.conversation_id);
    const returned = await scene.conversation(second!.conversation_id);
    assert.equal(channelFrom(returned, ann).connection_id, channelFrom(left, ann).connection_id);
    assertOnlyRun(await samplesOf(channelFrom(left, ann).audio), before, 'before leaving');
    assertOnlyRun(await samplesOf(channelFrom(returned, ann).audio), afterwards, 'after the return');
    assert.notEqual(returned.mixed_audio!.wav_file, left.mixed_audio!.wav_file);
  });

  test('who is taken out by the API goes on with the next command, into another room', async () => {
    const routine = [scene.join('hall', { do_record: true }), scene.join('office', { do_record: true })];
    const ann = await scene.call(routine);
    const bob = await scene.call([scene.join('hall', { do_record: true })]);
    const [member] = await scene.participants('hall', 2);
    const inHall = await say(ann, 31);
    await scene.server.api(`/v1/connections/${member!.connection_id}/leave`, 'POST');
    await scene.participants('office', 1);
    const [inOffice, bobInHall] = await Promise.all([say(ann, 32), say(bob, 33)]);
    await Promise.all([ann.hangUp(), bob.hangUp()]);

    const hall = await scene.endedConversation({ conference_name: 'hall' });
    const office = await scene.endedConversation({ conference_name: 'office' });
    assertOnlyRun(await samplesOf(channelFrom(hall, ann).audio), inHall, 'in the hall');
    assertOnlyRun(await samplesOf(channelFrom(hall, bob).audio), bobInHall, 'the other in the hall');
    assertOnlyRun(await samplesOf(channelFrom(office, ann).audio), inOffice, 'in the office');
    assert.equal(channelFrom(office, ann).connection_id, channelFrom(hall, ann).connection_id);
    assert.equal(office.channels.length, 1);
    await assert.rejects(
      scene.server.api(`/v1/connections/${member!.connection_id}/leave`, 'POST'),
      /404.*NOT_FOUND/,
    );
  });

  test('a conference that is emptied and joined again is another conversation', async () => {
    const said: Int16Array[] = [];
    const calls: PhoneCall[] = [];
    for (const seed of [41, 42]) {
      const call = await scene.call([scene.join('twice', { do_record: true })]);
      said.push(await say(call, seed));
      calls.push(call);
      await call.hangUp();
      await scene.audience.allEnded({ conference_name: 'twice' }, calls.length);
    }
    const events = scene.audience.endedEvents({ conference_name: 'twice' });
    assert.equal(new Set(events.map(({ conversation_id }) => conversation_id)).size, 2);
    for (const [index, { conversation_id }] of events.entries()) {
      const conversation = await scene.conversation(conversation_id);
      assert.equal(conversation.channels.length, 1);
      const samples = await samplesOf(channelFrom(conversation, calls[index]!).audio);
      assertOnlyRun(samples, said[index]!, `conversation ${index}`);
    }
  });

  test('who follows is recorded from the moment on that somebody wants it; who opted out never is', async () => {
    const ann = await scene.call([scene.join('policies')]);
    const eve = await scene.call([scene.join('policies', { do_record: false })]);
    await scene.participants('policies', 2);
    const unrecorded = await say(ann, 51);
    const bob = await scene.call([scene.join('policies', { do_record: true })]);
    await scene.participants('policies', 3);
    const [wanted, bobSaid, eveSaid] = await Promise.all([say(ann, 52), say(bob, 53), say(eve, 54)]);
    await Promise.all([ann, bob, eve].map((call) => call.hangUp()));

    const conversation = await scene.endedConversation({ conference_name: 'policies' });
    assert.deepEqual(channelsFrom(conversation, eve), []);
    assert.equal(conversation.channels.length, 2);
    const channel = channelFrom(conversation, ann);
    assert.ok(channel.start_ms >= unrecorded.length / 8, `from ${channel.start_ms} ms on`);
    assertOnlyRun(await samplesOf(channel.audio), wanted, 'the follower');
    assertOnlyRun(await samplesOf(channelFrom(conversation, bob).audio), bobSaid, 'who wanted it');
    const mix = await samplesOf(conversation.mixed_audio!);
    for (const forbidden of [unrecorded, eveSaid]) assertNoRun(mix, forbidden);
  });

  test('who speaks at the answer is recorded from the first packet on', async () => {
    const conversations = Array.from({ length: 8 }, async (_, index) => {
      const conference_name = `at once ${index}`;
      const call = await scene.call([scene.join(conference_name, { do_record: true })]);
      const said = await say(call, 70 + index);
      await call.hangUp();
      const { channels } = await scene.endedConversation({ conference_name });
      assertOnlyRun(await samplesOf(channels[0]!.audio), said, conference_name);
    });
    await Promise.all(conversations);
  });

  test('a recording that the API starts over one who opted out is silent', async () => {
    const eve = await scene.call([scene.join('confessional', { do_record: false })]);
    await scene.participants('confessional', 1);
    await scene.server.api('/v1/conferences/confessional/recordings', 'POST');
    assert.equal(await eve.play(noise({ samples: 3200, seed: 61 })), true);
    await eve.hangUp();
    const conversation = await scene.endedConversation({ conference_name: 'confessional' });
    assert.deepEqual(conversation.channels, []);
    const mix = await samplesOf(conversation.mixed_audio!);
    assert.ok(mix.length >= 2400, 'it lasted as long as she spoke');
    assert.ok(mix.every((sample) => sample === 0));
  });
});
