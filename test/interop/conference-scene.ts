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
  /** Whoever calls the same number is in the same recorded conference. */
  sipUri(transport: Transport, number?: string): string;
  /** Waits for the end of that number's conversation. */
  ended(number?: string): Promise<EndedConference>;
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

const onlyNumber = '1000';

/** A server whose numbers lead each into a recorded conference of its own. */
export async function conferenceScene(
  t: TestContext,
  settings: Record<string, string> = {},
  numbers: readonly string[] = [onlyNumber],
): Promise<ConferenceScene> {
  const app = await CallbackApp.create();
  t.after(() => app.close());
  app.on<{ connection: { to: string } }>('/incoming', ({ connection: { to } }) => ({
    routine: [
      {
        name: 'JoinConference',
        conference_name: to,
        do_record: true,
        event_callback: app.url(`/events/${to}`),
      },
    ],
  }));
  for (const number of numbers) app.on(`/events/${number}`, () => ({}));
  const onIncoming = app.url('/incoming');
  const server = await TestServer.start({
    settings,
    numbers: numbers.map((number) => ({ number, onIncoming })),
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
    sipUri: (transport, number = onlyNumber) => {
      const { address, port } = listener(transport);
      return `sip:${number}@${address}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
    },
    async ended(number = onlyNumber) {
      const wants = ({ type }: { type: string }): boolean => type === 'ended';
      const { body } = await app.waitFor(`/events/${number}`, wants);
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
