import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '../src/logger.ts';
import { fetchAudio } from '../src/testkit/recorded-audio.ts';
import { TestServer } from '../src/testkit/server.ts';
import { startApplication } from './application.ts';
import { type Caller, callers, conferenceName, talkSeconds } from './audience.ts';
import { placeCalls } from './calls.ts';
import { type CheckLine, type Conversation, checkConversation } from './checks.ts';

/**
 * The main job, for real: a Callreel with its database, an application that answers its callbacks, four SIP phones
 * with human speech, a recorded conference, and the files, compared with what the phones sent.
 *
 *   npm run demo             exits 0 when every check holds
 *   npm run demo -- --keep   stays up afterwards and says which number to call
 */
const number = '1000';
const keep = process.argv.includes('--keep');
const say = (line = ''): void => void process.stdout.write(`${line}\n`);

const app = await startApplication();
const server = await TestServer.start({
  numbers: [{ number, onIncoming: app.url('/incoming') }],
  settings: keep ? keptSettings() : {},
  log: createLogger('warn'),
});
try {
  process.exitCode = await run();
  if (keep) await stayUp();
} finally {
  await app.close();
  await server.stop();
}

/** @returns the exit code */
async function run(): Promise<number> {
  say(`Callreel runs: SIP ${server.sipUri(number)}, HTTP ${server.callreel.publicUrl}`);
  say(`Four phones call in, talk for ${talkSeconds} seconds and hang up:`);
  for (const caller of callers) say(`  ${describe(caller)}`);
  const placed = await placeCalls(server, number);
  const event = await app.waitFor<{ type: string }>('/conference_event', ({ type }) => type === 'ended');
  const { conversation_id: conversationId } = event.body as { conversation_id: string };
  say(`\nThe application got: ${JSON.stringify(event.body)}`);
  const conversation = await server.api<Conversation>(`/v0/conversations/${conversationId}`);
  say(`\nGET /v0/conversations/${conversationId}\n${JSON.stringify(conversation, null, 2)}\n`);
  const checks = await checkConversation(conversation, placed);
  for (const { ok, what } of checks) say(`${ok ? 'ok    ' : 'FAILED'} ${what}`);
  say();
  for (const line of await saveFiles(conversation)) say(line);
  return verdict(checks);
}

async function stayUp(): Promise<void> {
  say(
    `\nStill up. Call ${server.sipUri(number)} from any SIP phone; you join ${conferenceName}. Ctrl-C ends it.`,
  );
  await new Promise((resolve) => process.once('SIGINT', resolve));
}

function describe({ name, number: from, speech, transport, rejoins, optedOut }: Caller): string {
  const special = `${rejoins ? ', leaves and joins again' : ''}${optedOut ? ', opted out of the recording' : ''}`;
  return `${name.padEnd(9)}${from}  ${speech.padEnd(8)} over ${transport.toUpperCase()}${special}`;
}

/** Where a phone expects a SIP server, and logs of what happens. */
function keptSettings(): Record<string, string> {
  return { CALLREEL_SIP_PORT: process.env.CALLREEL_SIP_PORT ?? '5060' };
}

/** The WAV files, to listen to. */
async function saveFiles({ audio, channels }: Conversation): Promise<string[]> {
  const folder = join(process.cwd(), '.callreel', 'demo');
  mkdirSync(folder, { recursive: true });
  const files = [
    { name: 'mix.wav', url: audio.wav_file },
    ...channels.map(({ from, start_ms, audio: { wav_file } }) => ({
      name: `${from}-${start_ms}.wav`,
      url: wav_file,
    })),
  ];
  return await Promise.all(
    files.map(async ({ name, url }) => {
      const path = join(folder, name);
      writeFileSync(path, (await fetchAudio(url)).bytes);
      return `saved ${path}`;
    }),
  );
}

function verdict(lines: CheckLine[]): number {
  const failed = lines.filter(({ ok }) => !ok).length;
  say(failed === 0 ? `\nAll ${lines.length} checks hold.` : `\n${failed} of ${lines.length} checks FAILED.`);
  return failed === 0 ? 0 : 1;
}
