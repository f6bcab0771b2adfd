import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { fetchAudio, monoSamples } from '../../src/testkit/recorded-audio.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { tone } from '../../src/testkit/tone.ts';
import { assertTones, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { ensurePackages } from './debian.ts';
import { runSippCaller } from './sipp.ts';

const sippHz = 443;
const baresipHz = 1069;
const callMs = 5000;

interface Audio {
  wav_file: string;
}

interface Conversation {
  audio: Audio;
  channels: { from: string; audio: Audio }[];
}

before(() => ensurePackages('sip-tester', 'baresip-core'));

/** A span of the first sipp's call. */
function firstHalf(samples: Int16Array): Int16Array {
  return samples.subarray(Math.floor(samples.length * 0.2), Math.floor(samples.length * 0.4));
}

for (const [transport, codec] of [
  ['udp', 'PCMU'],
  ['tcp', 'PCMA'],
] as const)
  test(`sipp and baresip in one recorded conference over ${transport} (${codec})`, async (t) => {
    const app = await CallbackApp.create();
    t.after(() => app.close());
    const join = { name: 'JoinConference', conference_name: 'peers', do_record: true };
    app.on('/incoming', () => ({ routine: [{ ...join, event_callback: app.url('/events') }] }));
    app.on('/events', () => ({}));
    const server = await TestServer.start({
      numbers: [{ number: '1000', onIncoming: app.url('/incoming') }],
    });
    t.after(() => server.stop());
    const audio = tone({ frequencyHz: baresipHz, durationMs: 20_000 });
    const baresip = await Baresip.start({ number: '+15550002', transport, codec, audio });
    t.after(() => baresip.stop());

    const listener = server.callreel.sip.find((candidate) => candidate.transport === transport);
    const target = { address: listener?.host ?? '', port: listener?.port ?? 0 };
    const shared = { target, transport, codec, callMs };
    await baresip.dial(server.sipUri('1000', transport));
    await baresip.established();
    // One sipp speaks; after it, another echoes what it hears, so its channel shows what the server sent.
    await runSippCaller({
      ...shared,
      calls: [{ from: '+15550001', to: '1000' }],
      audio: tone({ frequencyHz: sippHz, durationMs: 4000 }),
    });
    await runSippCaller({ ...shared, calls: [{ from: '+15550003', to: '1000' }] });
    await baresip.hangUp();
    await baresip.closed();

    const { body } = await app.waitFor<{ type: string }>('/events', ({ type }) => type === 'ended');
    const { conversation_id: id } = body as { conversation_id: string };
    const conversation = await server.api<Conversation>(`/v0/conversations/${id}`);
    const channel = async (from: string) => {
      const found = conversation.channels.find((candidate) => candidate.from === from);
      assert.ok(found, `no channel of ${from}`);
      return monoSamples(await fetchAudio(found.audio.wav_file));
    };
    assertTones(middle(await channel('+15550001')), [sippHz], [baresipHz], 'the channel of sipp');
    assertTones(middle(await channel('+15550002')), [baresipHz], [sippHz], 'the channel of baresip');
    assertTones(middle(await channel('+15550003')), [baresipHz], [sippHz], 'what the echoing sipp heard');
    assertTones(firstHalf(await baresip.heard()), [sippHz], [], 'what baresip heard');
    const mix = monoSamples(await fetchAudio(conversation.audio.wav_file));
    assertTones(firstHalf(mix), [sippHz, baresipHz], [], 'the mix');
  });
