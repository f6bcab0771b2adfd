import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { fetchAudio, monoSamples } from '../../src/testkit/recorded-audio.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { tone } from '../../src/testkit/tone.ts';
import { assertTones, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { ensurePackages } from './debian.ts';
import { Kamailio, type Transport } from './kamailio.ts';

const firstHz = 443;
const secondHz = 1069;
const talkMs = 4000;

interface Conversation {
  audio: { wav_file: string };
  channels: { from: string; audio: { wav_file: string } }[];
}

before(() => ensurePackages('baresip-core', 'kamailio', 'kamailio-tls-modules', 'openssl'));

async function conferenceServer(t: TestContext) {
  const app = await CallbackApp.create();
  t.after(() => app.close());
  const join = { name: 'JoinConference', conference_name: 'peers', do_record: true };
  app.on('/incoming', () => ({ routine: [{ ...join, event_callback: app.url('/events') }] }));
  app.on('/events', () => ({}));
  const server = await TestServer.start({ numbers: [{ number: '1000', onIncoming: app.url('/incoming') }] });
  t.after(() => server.stop());
  return { app, server };
}

for (const transport of ['udp', 'tcp'] satisfies Transport[])
  test(`a recorded conference behind kamailio that records its route, over ${transport}`, async (t) => {
    const { app, server } = await conferenceServer(t);
    const listener = server.callreel.sip.find((candidate) => candidate.transport === transport);
    const kamailio = await Kamailio.start({
      target: { address: listener?.host ?? '', port: listener?.port ?? 0, transport },
      password: 'secret',
    });
    t.after(() => kamailio.stop());
    const phones: Baresip[] = [];
    for (const [index, frequencyHz] of [firstHz, secondHz].entries()) {
      const audio = tone({ frequencyHz, durationMs: 20_000 });
      const phone = await Baresip.start({ number: `+1555000${index + 1}`, transport, audio });
      t.after(() => phone.stop());
      await phone.dial(kamailio.sipUri('1000', transport));
      phones.push(phone);
    }
    await sleep(systemClock, talkMs);
    for (const phone of phones) {
      await phone.hangUp();
      await phone.closed();
    }
    const { body } = await app.waitFor<{ type: string }>('/events', ({ type }) => type === 'ended');
    const { conversation_id: id } = body as { conversation_id: string };
    const conversation = await server.api<Conversation>(`/v0/conversations/${id}`);
    const channel = async (from: string) => {
      const found = conversation.channels.find((candidate) => candidate.from === from);
      assert.ok(found, `no channel of ${from}`);
      return monoSamples(await fetchAudio(found.audio.wav_file));
    };
    assertTones(middle(await channel('+15550001')), [firstHz], [secondHz], 'the first channel');
    assertTones(middle(await channel('+15550002')), [secondHz], [firstHz], 'the second channel');
    assertTones(middle(await phones[0]!.heard()), [secondHz], [firstHz], 'what the first heard');
    assertTones(middle(await phones[1]!.heard()), [firstHz], [secondHz], 'what the second heard');
    assert.doesNotMatch(kamailio.output.join(''), /LOST in-dialog/);
  });
