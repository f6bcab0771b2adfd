import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { HttpClient } from '../e2e/http-client.ts';
import { assertTones } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { ensurePackages } from './debian.ts';
import { Linphone } from './linphone.ts';
import { narrowband } from './narrowband.ts';

const callerHz = 443;
const calledHz = 1069;
const newHz = 697;
const rateHz = 8000;
const talkMs = 3000;

interface Conversation {
  channels: { from: string; to: string; start_ms: number; end_ms: number; audio: { wav_file: string } }[];
  audio: { wav_file: string };
}

before(() => ensurePackages('baresip-core', 'linphone-cli'));

/** What a real phone that transfers has in common, whichever it is. */
interface TransferringPhone {
  dial(sipUri: string): Promise<void>;
  transfer(sipUri: string): Promise<void>;
  stop(): Promise<void>;
}

const phones = {
  baresip: (audio: Int16Array): Promise<TransferringPhone> => Baresip.start({ number: '+15550001', audio }),
  linphonec: (audio: Int16Array): Promise<TransferringPhone> =>
    Linphone.start({ number: '+15550001', audio }),
};

for (const [name, start] of Object.entries(phones))
  test(`T6: ${name} transfers the called party to another; the recording goes on`, async (t) => {
    const answering = async (number: string, frequencyHz: number) => {
      const audio = tone({ frequencyHz, durationMs: 20_000 });
      const phone = await Baresip.start({ number, audio });
      t.after(() => phone.stop());
      return phone;
    };
    const called = await answering('+15550002', calledHz);
    const next = await answering('+15550003', newHz);
    const { server, app } = await dialingServer(t, called.sipUri);
    const caller = await start(tone({ frequencyHz: callerHz, durationMs: 20_000 }));
    t.after(() => caller.stop());
    await caller.dial(server.sipUri('1000'));
    await called.established();
    await sleep(systemClock, talkMs);
    await caller.transfer(next.sipUri);
    await next.established();
    await sleep(systemClock, talkMs);
    await called.hangUp();
    await next.closed();
    const { body } = await app.waitFor<{ type: string }>('/events', ({ type }) => type === 'ended');
    const { conversation_id: id } = body as { conversation_id: string };
    const { audio, channels } = await server.api<Conversation>(`/v0/conversations/${id}`);
    assert.equal(channels.length, 3, JSON.stringify(channels));
    const of = (number: string) => channels.find(({ from, to }) => from === number || to.includes(number))!;
    const samplesOf = async (number: string) => narrowband(await fetchAudio(of(number).audio.wav_file));
    const calledSamples = await samplesOf('+15550002');
    assertTones(span(calledSamples, 1000, 2500), [calledHz], [callerHz], 'the called party before');
    const late = calledSamples.length / 8 - 1500;
    assertTones(span(calledSamples, late, late + 1000), [calledHz], [newHz], 'the called party after');
    assertTones(span(await samplesOf('+15550003'), 500, 2000), [newHz], [calledHz], 'the new party');
    const mix = narrowband(await fetchAudio(audio.wav_file));
    assertTones(span(mix, 1000, 2500), [callerHz, calledHz], [], 'the mix before');
    const end = of('+15550003').start_ms + 500;
    assertTones(span(mix, end, end + 1500), [calledHz, newHz], [], 'the mix after');
    assert.ok(toneLevelDbov(span(mix, end + 500, end + 1500), rateHz, callerHz) < -60, 'the caller is gone');
  });

function span(samples: Int16Array, fromMs: number, toMs: number): Int16Array {
  return samples.subarray((fromMs * rateHz) / 1000, (toMs * rateHz) / 1000);
}

/** Whoever calls it is connected to that phone, recorded; phones of this machine may be dialled. */
async function dialingServer(t: TestContext, calledUri: string) {
  const app = await CallbackApp.create();
  t.after(() => app.close());
  app.on('/incoming', () => ({
    routine: [
      { name: 'CallPhone', phone_number: calledUri, do_record: true, event_callback: app.url('/events') },
    ],
  }));
  app.on('/events', () => ({}));
  const server = await TestServer.start({
    numbers: [{ number: '1000', onIncoming: app.url('/incoming') }],
  });
  t.after(() => server.stop());
  const allowed = await new HttpClient(server.callreel).json('POST', '/v1/dial-permissions', {
    prefix: 'sip:127.0.0.1',
    allow: true,
  });
  assert.equal(allowed.status, 200, JSON.stringify(allowed.body));
  return { server, app };
}
