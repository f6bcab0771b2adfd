import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { CallbackApp } from '../../src/testkit/callback-app.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import { TestServer } from '../../src/testkit/server.ts';
import type { Transport } from './kamailio.ts';
import { narrowband } from './narrowband.ts';

export interface ConferenceScene {
  server: TestServer;
  listener(transport: Transport): { address: string; port: number };
  /** Whoever calls it is in one recorded conference. */
  sipUri(transport: Transport): string;
  /** Waits for the end of the conversation. */
  ended(): Promise<EndedConference>;
}

export interface EndedConference {
  /** The channel of who called from this number, decoded. */
  channel(from: string): Promise<Int16Array>;
  mix(): Promise<Int16Array>;
}

interface Conversation {
  audio: { wav_file: string };
  channels: { from: string; audio: { wav_file: string } }[];
}

const number = '1000';

/** A server whose one number leads into a recorded conference. */
export async function conferenceScene(
  t: TestContext,
  settings: Record<string, string> = {},
): Promise<ConferenceScene> {
  const app = await CallbackApp.create();
  t.after(() => app.close());
  const join = { name: 'JoinConference', conference_name: 'peers', do_record: true };
  app.on('/incoming', () => ({ routine: [{ ...join, event_callback: app.url('/events') }] }));
  app.on('/events', () => ({}));
  const server = await TestServer.start({
    settings,
    numbers: [{ number, onIncoming: app.url('/incoming') }],
  });
  t.after(() => server.stop());
  const listener = (transport: Transport): { address: string; port: number } => {
    const found = server.callreel.sip.find((candidate) => candidate.transport === transport);
    assert.ok(found, `the server does not listen on ${transport}`);
    return { address: found.host, port: found.port };
  };
  return {
    server,
    listener,
    sipUri: (transport) => {
      const { address, port } = listener(transport);
      return `sip:${number}@${address}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
    },
    async ended() {
      const { body } = await app.waitFor<{ type: string }>('/events', ({ type }) => type === 'ended');
      const { conversation_id: id } = body as { conversation_id: string };
      const conversation = await server.api<Conversation>(`/v0/conversations/${id}`);
      return {
        async channel(from) {
          const found = conversation.channels.find((candidate) => candidate.from === from);
          assert.ok(found, `no channel of ${from}`);
          return narrowband(await fetchAudio(found.audio.wav_file));
        },
        mix: async () => narrowband(await fetchAudio(conversation.audio.wav_file)),
      };
    },
  };
}
