import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { VoiceCallbackWebhooks, VoiceService } from '@sinch/voice';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { SinchStage } from './sinch-stage.ts';
import { isHeard, speak } from './verb-stage.ts';

/** Every voice call of the vendor's own client, with nothing changed but its host names, and live calls behind it. */
const stage = await SinchStage.open({ settings: { CALLREEL_SINCH_DEFAULT_DESTINATION: 'sdrive://' } });
const { publicUrl } = stage.scene.server.callreel;
const voice = new VoiceService({
  ...stage.keys,
  voiceHostname: publicUrl,
  voiceApplicationManagementHostname: publicUrl,
});
const webhooks = new VoiceCallbackWebhooks(stage.keys);
after(() => stage[Symbol.asyncDispose]());

const { applicationKey: key } = stage.keys;
const cli = '+12015555555';
const recordingOptions = { destinationUrl: 'sdrive://', format: 'wav', notificationEvents: true };
const free = { currencyId: 'USD', amount: 0 };
let lastSeed = 7000;
let lastCustom = 0;

function sip({ sipUri }: { sipUri: string }) {
  return { type: 'sip', endpoint: sipUri.replace(/^sip:/, '') };
}

/** What the client rejects with, as the vendor's server would have it. */
async function refusal(request: Promise<unknown>): Promise<[number, number]> {
  const error = (await request.then(
    () => assert.fail('it was taken'),
    (cause: unknown) => cause,
  )) as { statusCode: number; data: string };
  const { errorCode, message, reference } = JSON.parse(error.data) as Record<string, unknown>;
  assert.ok(typeof message === 'string' && typeof reference === 'string', error.data);
  return [error.statusCode, Number(errorCode)];
}

/** The client's own validator takes what was sent of this call so far, and knows each of its events. */
function assertValid(id: string, events: readonly string[]): void {
  const requests = stage.requests(id);
  for (const { headers, rawBody, path, method } of requests) {
    const body = rawBody.toString();
    assert.equal(webhooks.validateAuthenticationHeader(headers, body, path, method), true);
    assert.equal(webhooks.validateAuthenticationHeader(headers, `${body} `, path, method), false);
  }
  const told = requests.map(({ body }) => {
    const { event, type } = webhooks.parseEvent(structuredClone(body)) as { event?: string; type?: string };
    return type ?? event ?? '';
  });
  assert.deepEqual(told.toSorted(), events.toSorted());
}

async function assertHears(listener: PhoneCall, sound: Int16Array, what: string): Promise<void> {
  await eventually(what, () => isHeard(listener.received(), sound) || undefined);
}

/** What one says is heard by the other, or not at all. */
async function says(speaker: PhoneCall, listener: PhoneCall, isLetThrough: boolean): Promise<void> {
  const said = await speak(speaker, 4000, lastSeed++);
  if (isLetThrough) await assertHears(listener, said, 'what was said');
  else assertNoRun(listener.received(), said);
}

suite('calls', { concurrency: false }, () => {
  test('get, update, manageWithCallLeg on a call that came in', async () => {
    const called = await stage.called();
    const action = { name: 'connectSip', destination: sip(called.phone) };
    const caller = await stage.call({ ice: { action }, ace: { action: { name: 'continue' } } });
    const callee = await called.call;
    const callId = await stage.callIdOf(caller);
    await says(caller, callee, true);
    const ongoing = await voice.calls.get({ callId });
    assert.deepEqual(
      [ongoing.callId, ongoing.status, ongoing.result, ongoing.reason, ongoing.domain, ongoing.custom],
      [callId, 'ONGOING', 'ANSWERED', 'N/A', 'pstn', ''],
    );
    const { user: number } = caller.session.from;
    assert.deepEqual(ongoing.from, { type: 'number', endpoint: number });
    assert.deepEqual(ongoing.to, { type: 'did', endpoint: '3000' });
    assert.deepEqual([ongoing.userRate, ongoing.debit], [free, free]);
    assert.ok(ongoing.timestamp instanceof Date || !Number.isNaN(Date.parse(String(ongoing.timestamp))));

    const [forCaller, forCallee, forBoth] = [stage.prompt(4000), stage.prompt(4000), stage.prompt(4000)];
    const play = (callLeg: string, { url }: { url: string }) =>
      voice.calls.manageWithCallLeg({
        ...{ callId, callLeg },
        manageWithCallLegRequestBody: {
          instructions: [{ name: 'playFiles', ids: [url] }],
          action: { name: 'continue' },
        },
      });
    await play('callee', forCallee);
    await assertHears(callee, forCallee.sound, 'the callee alone');
    await play('caller', forCaller);
    await assertHears(caller, forCaller.sound, 'the caller alone');
    await play('both', forBoth);
    for (const each of [caller, callee]) await assertHears(each, forBoth.sound, 'both');
    assertNoRun(caller.received(), forCallee.sound);
    assertNoRun(callee.received(), forCaller.sound);

    const instructions = (name: 'startRecording' | 'stopRecording') => ({
      ...{ callId },
      updateCallRequestBody: {
        instructions: [name === 'startRecording' ? { name, options: recordingOptions } : { name }] as never,
        action: { name: 'continue' as const },
      },
    });
    await voice.calls.update(instructions('startRecording'));
    const recorded = await speak(caller, 4000, lastSeed++);
    await assertHears(callee, recorded, 'what is recorded');
    await voice.calls.update(instructions('stopRecording'));
    await stage.told(callId, 'notify', 'recording_finished');
    const unrecorded = await speak(caller, 4000, lastSeed++);
    const [samples] = await stage.recordingOf(callId);
    assert.ok(samples && isHeard(samples, recorded));
    assertNoRun(samples, unrecorded);

    await voice.calls.update({ callId, updateCallRequestBody: { action: { name: 'hangup' } } });
    await Promise.all([caller.ended, callee.ended]);
    const dice = await stage.told(callId, 'dice');
    const over = await voice.calls.get({ callId });
    assert.deepEqual([over.status, over.result, over.reason], ['FINAL', 'ANSWERED', 'MANAGERHANGUP']);
    assert.deepEqual([over.result, over.reason, over.duration], [dice.result, dice.reason, dice.duration]);
    assert.deepEqual(
      await refusal(voice.calls.update({ callId, updateCallRequestBody: { action: { name: 'hangup' } } })),
      [404, 40400],
    );
    await eventually('it is available', () =>
      stage.callbacks(callId, 'notify').find(({ type }) => type === 'recording_available'),
    );
    assertValid(callId, ['ice', 'ace', 'recording_finished', 'recording_available', 'dice']);
  });

  test('what the vendor refuses is refused', async () => {
    const callId = 'ffffffffffffffff';
    assert.deepEqual(await refusal(voice.calls.get({ callId })), [404, 40400]);
    const update = (action: object, instructions: object[] = []) =>
      voice.calls.update({ callId, updateCallRequestBody: { instructions, action } as never });
    assert.deepEqual(await refusal(update({ name: 'hangup' })), [404, 40400]);
    assert.deepEqual(await refusal(update({ name: 'connectConf', conferenceId: 'a' })), [400, 40003]);
    assert.deepEqual(await refusal(update({ name: 'hangup' }, [{ name: 'say' }])), [400, 40002]);
    const leg = voice.calls.manageWithCallLeg({ callId, callLeg: 'nobody' });
    assert.deepEqual(await refusal(leg), [400, 40001]);
    const stranger = new VoiceService({
      ...{ applicationKey: key, applicationSecret: 'bm9uc2Vuc2U=', voiceHostname: publicUrl },
    });
    assert.deepEqual(await refusal(stranger.calls.get({ callId })), [401, 40108]);
  });
});

interface Placed {
  callId: string;
  call: PhoneCall;
}

suite('callouts', { concurrency: false }, () => {
  test('tts: the prompts are heard, then it is over', async () => {
    const { phone, call } = await stage.called();
    const { url, sound } = stage.prompt(4000);
    const { callId } = await voice.callouts.tts({
      ttsCalloutRequestBody: {
        method: 'ttsCallout',
        ttsCallout: {
          destination: sip(phone),
          cli,
          prompts: `#href[${url}]`,
          custom: 'mine',
          enableDice: true,
        },
      },
    });
    const placed = await call;
    assert.equal(placed.session.from.user, cli);
    await assertHears(placed, sound, 'the prompt');
    await placed.ended;
    const dice = await stage.told(callId!, 'dice');
    assert.deepEqual([dice.custom, dice.result, dice.to, dice.from], ['mine', 'ANSWERED', sip(phone), cli]);
    const over = await voice.calls.get({ callId: callId! });
    assert.deepEqual(
      [over.status, over.result, over.custom, over.to, over.from],
      ['FINAL', 'ANSWERED', 'mine', sip(phone), { type: 'number', endpoint: cli }],
    );
    assertValid(callId!, ['dice']);
  });

  test('tts: a text is spoken', async () => {
    const { phone, call } = await stage.called();
    await voice.callouts.tts({
      ttsCalloutRequestBody: {
        method: 'ttsCallout',
        ttsCallout: { destination: sip(phone), cli, text: 'Hello, this is a call.', locale: 'en-US' },
      },
    });
    const placed = await call;
    await placed.ended;
    const loud = placed.received().filter((sample) => Math.abs(sample) > 1000);
    assert.ok(loud.length > 1000, `${loud.length} loud samples`);
  });

  test('custom: whom ICE names; ACE is asked, and PIE by a menu', async () => {
    const custom = `custom-${++lastCustom}`;
    const menu = {
      id: 'main',
      mainPrompt: '',
      options: [{ dtmf: '1', action: 'return(one)' }],
      timeoutMills: 20_000,
    };
    const { url, sound } = stage.prompt(4000);
    stage.scriptFor(custom, {
      ace: { action: { name: 'runMenu', menus: [menu] } },
      pie: { instructions: [{ name: 'playFiles', ids: [url] }], action: { name: 'hangup' } },
    });
    const { phone, call } = await stage.called();
    const ice = { action: { name: 'connectSip', destination: sip(phone), cli } };
    const { callId } = await voice.callouts.custom({
      customCalloutRequestBody: {
        method: 'customCallout',
        customCallout: { custom, ice: JSON.stringify(ice) },
      },
    });
    const placed = await call;
    await stage.told(callId!, 'ace');
    const ongoing = await voice.calls.get({ callId: callId! });
    assert.deepEqual([ongoing.status, ongoing.result, ongoing.custom], ['ONGOING', 'ANSWERED', custom]);
    await placed.pressDigit('1');
    const pie = await stage.told(callId!, 'pie');
    assert.deepEqual(pie.menuResult, { menuId: 'main', type: 'return', value: 'one', inputMethod: 'dtmf' });
    await assertHears(placed, sound, 'what PIE is answered with');
    await placed.ended;
    await stage.told(callId!, 'dice');
    assertValid(callId!, ['ace', 'pie', 'dice']);
  });

  test('one that is not answered, and one that can not be placed', async () => {
    const { phone } = await stage.called(async (call) => {
      call.reject(486);
      return await Promise.reject(new Error('busy'));
    });
    const place = (to: object, more: object = {}) =>
      voice.callouts.tts({
        ttsCalloutRequestBody: {
          method: 'ttsCallout',
          ttsCallout: { destination: to as never, cli, text: 'hello', enableDice: true, ...more },
        },
      });
    const { callId } = await place(sip(phone));
    const dice = await stage.told(callId!, 'dice');
    assert.deepEqual([dice.result, dice.duration], ['BUSY', 0]);
    const over = await voice.calls.get({ callId: callId! });
    assert.deepEqual([over.status, over.result, over.duration], ['FINAL', 'BUSY', 0]);
    assert.deepEqual(await refusal(place({ type: 'number', endpoint: '12' })), [400, 40001]);
    assert.deepEqual(await refusal(place({ type: 'username', endpoint: 'nobody' })), [404, 40400]);
    assert.deepEqual(await refusal(place({ type: 'sip' })), [400, 40002]);
    assert.deepEqual(await refusal(place(sip(phone), { maxDuration: 99_999 })), [400, 40001]);
  });
});

suite('conferences', { concurrency: false }, () => {
  const conferenceId = 'room1';
  const placed: Placed[] = [];

  async function join(more: object = {}): Promise<Placed> {
    const { phone, call } = await stage.called();
    const { callId } = await voice.conferences.call({
      conferenceCalloutRequestBody: {
        method: 'conferenceCallout',
        conferenceCallout: { destination: sip(phone), conferenceId, cli, enableDice: true, ...more },
      },
    });
    return { callId: callId!, call: await call };
  }

  async function participants(count: number) {
    return await eventually(`${count} participants`, async () => {
      const { participants: found = [] } = await voice.conferences.get({ conferenceId });
      return found.length === count ? found : undefined;
    });
  }

  test('callouts bring them together; get lists them', async () => {
    const { url, sound } = stage.prompt(4000);
    assert.ok(url);
    placed.push(await join(), await join({ greeting: 'Welcome' }));
    assert.ok(sound.length > 0);
    const found = await participants(2);
    assert.deepEqual(found.map(({ id }) => id).toSorted(), placed.map(({ callId }) => callId).toSorted());
    for (const { muted, onhold, duration } of found) {
      assert.deepEqual([muted, onhold], [false, false]);
      assert.ok(duration! >= 0 && duration! < 60);
    }
    const [ann, bob] = placed;
    await says(ann!.call, bob!.call, true);
    await says(bob!.call, ann!.call, true);
  });

  test('manageParticipant: mute, unmute, onhold, resume', async () => {
    const [ann, bob] = placed as [Placed, Placed];
    const manage = async (command: 'mute' | 'unmute' | 'onhold' | 'resume', moh?: 'music1') => {
      await voice.conferences.manageParticipant({
        ...{ conferenceId, callId: ann.callId },
        manageParticipantRequestBody: { command, ...(moh && { moh }) },
      });
      await stage.scene.server.callreel.calls.conferenceOf(ann.callId)?.worker.send({ verb: 'worker.stats' });
      return (await participants(2)).find(({ id }) => id === ann.callId)!;
    };
    assert.equal((await manage('mute')).muted, true);
    await says(ann.call, bob.call, false);
    await says(bob.call, ann.call, true);
    assert.equal((await manage('unmute')).muted, false);
    await says(ann.call, bob.call, true);
    const heardBefore = ann.call.received().length;
    assert.equal((await manage('onhold', 'music1')).onhold, true);
    await says(ann.call, bob.call, false);
    await says(bob.call, ann.call, false);
    const music = ann.call.received().subarray(heardBefore);
    assert.ok(music.filter((sample) => Math.abs(sample) > 300).length > 1000, 'music plays');
    assert.equal((await manage('resume')).onhold, false);
    await says(bob.call, ann.call, true);
    await says(ann.call, bob.call, true);
  });

  test('the conference is recorded by PATCH of its own, and told by its id', async () => {
    const [ann] = placed as [Placed, Placed];
    const patch = async (body: object) => {
      const pair = Buffer.from(`${key}:${stage.keys.applicationSecret}`).toString('base64');
      const response = await fetch(`${publicUrl}/calling/v1/conferences/id/${conferenceId}`, {
        method: 'PATCH',
        headers: { authorization: `Basic ${pair}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return [response.status, ((await response.json()) as { errorCode?: number }).errorCode];
    };
    assert.deepEqual(await patch({ command: 'stopRecording' }), [404, 40400]);
    assert.deepEqual(await patch({ command: 'startRecording', recordingOptions }), [200, undefined]);
    const elsewhere = { ...recordingOptions, destinationUrl: 'sdrive://elsewhere.wav' };
    const again = await patch({ command: 'startRecording', recordingOptions: elsewhere });
    assert.deepEqual(again, [400, 40003], 'what is not done is not said to be');
    const said = await speak(ann.call, 4000, lastSeed++);
    assert.deepEqual(await patch({ command: 'stopRecording' }), [200, undefined]);
    await stage.told(conferenceId, 'notify', 'recording_finished');
    await stage.told(conferenceId, 'notify', 'recording_available');
    const [recording] = await stage.recordings(({ connection_id: id }) => id === null);
    assert.ok(recording && isHeard(await stage.samples(recording), said));
    assertValid(conferenceId, ['recording_finished', 'recording_available']);
  });

  test('kickParticipant, kickAll', async () => {
    const [ann, bob] = placed as [Placed, Placed];
    await voice.conferences.kickParticipant({ conferenceId, callId: ann.callId });
    await ann.call.ended;
    const [left] = await participants(1);
    assert.equal(left?.id, bob.callId);
    const again = voice.conferences.kickParticipant({ conferenceId, callId: ann.callId });
    assert.deepEqual(await refusal(again), [404, 40400]);
    await voice.conferences.kickAll({ conferenceId });
    await bob.call.ended;
    await eventually('the conference is over', async () => {
      const gone = voice.conferences.get({ conferenceId }).then(
        () => undefined,
        () => true,
      );
      return await gone;
    });
    for (const { callId } of placed) {
      const dice = await stage.told(callId, 'dice');
      assert.deepEqual([dice.result, dice.reason], ['ANSWERED', 'MANAGERHANGUP']);
    }
    assert.deepEqual(await refusal(voice.conferences.kickAll({ conferenceId })), [404, 40400]);
  });
});

suite('applications', { concurrency: false }, () => {
  const number = '+12025550123';
  const { applications } = voice;
  const mine = async () => {
    const { numbers = [] } = await applications.listNumbers({});
    return numbers.find((each) => each.number === number);
  };

  test('callbacks are read and changed', async () => {
    const before = await applications.getCallbackURLs({ applicationkey: key });
    assert.match(before.url?.primary ?? '', /\/voice$/);
    const url = { primary: before.url!.primary!, fallback: 'http://127.0.0.1:9/other' };
    await applications.updateCallbackURLs({ applicationkey: key, updateCallbacksRequestBody: { url } });
    assert.deepEqual(await applications.getCallbackURLs({ applicationkey: key }), { url });
    await applications.updateCallbackURLs({ applicationkey: key, updateCallbacksRequestBody: before });
    assert.deepEqual(await applications.getCallbackURLs({ applicationkey: key }), before);
    const other = applications.getCallbackURLs({ applicationkey: 'another' });
    assert.deepEqual(await refusal(other), [404, 40400]);
  });

  test('a number is assigned, answers, and is unassigned', async () => {
    assert.equal(await mine(), undefined);
    await applications.assignNumbers({
      assignNumbersRequestBody: { numbers: [number], applicationkey: key, capability: 'voice' },
    });
    assert.deepEqual(await mine(), { number, applicationkey: key, capability: 'voice' });
    const from = stage.newNumber();
    const phone = await stage.phone(from);
    stage.scriptFor(from, {
      ice: { instructions: [{ name: 'answer' }], action: { name: 'hangup' } },
    });
    const call = await phone.call(stage.scene.server.sipUri(number));
    await call.ended;
    const ice = await stage.told(await stage.callIdOf(call), 'ice');
    assert.deepEqual(ice.to, { type: 'did', endpoint: number });
    await applications.unassignNumber({ unassignNumbersRequestBody: { number, applicationkey: key } });
    assert.deepEqual(await mine(), { number, capability: 'voice' });
    const twice = applications.unassignNumber({ unassignNumbersRequestBody: { number } });
    assert.deepEqual(await refusal(twice), [404, 40400]);
    const sms = applications.assignNumbers({
      assignNumbersRequestBody: { numbers: [number], capability: 'sms' },
    });
    assert.deepEqual(await refusal(sms), [400, 40001]);
  });

  test('a number is known by its country', async () => {
    const { number: found } = await applications.queryNumber({ number: '+46 73 017 01 01' });
    assert.deepEqual(found, {
      ...{ countryId: 'SE', numberType: 'Unknown', normalizedNumber: '+46730170101', restricted: true },
      rate: free,
    });
    assert.deepEqual(await refusal(applications.queryNumber({ number: 'abc' })), [400, 40001]);
  });
});
