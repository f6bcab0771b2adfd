import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { fetchWhole } from './ready/fetch-whole.ts';
import { FileCheck } from './ready/file-check.ts';
import { processTime } from './ready/process-time.ts';
import {
  type CaseResult,
  type ConversationBody,
  type Ended,
  endedMs,
  type Round,
  report,
  type WavAtOnce,
  type WavRound,
  withFigures,
} from './ready/report.ts';
import { percentile } from './statistics.ts';
import { type Conversation, TalkingCalls } from './talking-calls.ts';

interface EndedEvent {
  type: string;
  conversation_id: string;
  conference_name: string;
}

/** One conversation, told of as ended. */
interface Told {
  conversation: Conversation;
  conversationId: string;
  /** From its last BYE to the event. */
  endedMs: number;
}

interface EndedConversation extends Told, Ended {}

const usage = `  --conversations 50
  --minutes 1,120      lengths of the conversations
  --rounds 3           of the same conversations on one server, those behind the first a minute long at most;
                       behind them another one, whose files are fetched as soon as they can be
  --repetitions 1      of each length, each with a server of its own
  --profile DIRECTORY  CPU profiles of every thread of the server (node --cpu-prof)`;
const phonesEach = 2;
/** In which a phone says what is said again while time is driven. */
const saidMs = 11_000;
const eventTimeoutMs = 60_000;
const sampleMs = 20;
const quietSamples = 50;
/** For threads to come to rest; the sampling of `--profile` wakes those that have nothing to do. */
const longestQuietMs = { usual: 20 * 60_000, profiled: 60_000 };
/** What is done along with calls is done so often. */
const stepMs = 5000;
/** How long conversations were says little of what their ends take. */
const followingMinutes = 1;

/** Of a run; each conversation has its name once. */
interface Plan {
  conversations: number;
  minutes: number;
  rounds: number;
  profile: string | undefined;
}

/**
 * Ready at once: conversations of two phones, all recorded, end in the same instant by real BYEs; measured is when the
 * `ended` event of each is there, and its files then: the mix and a channel as WAV and the mix as MP3, all of them
 * fetched for the first time and at once.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      conversations: { type: 'string', default: '50' },
      minutes: { type: 'string', default: '1,120' },
      rounds: { type: 'string', default: '3' },
      repetitions: { type: 'string', default: '1' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- ready\n${usage}`);
  const { profile } = values;
  const [conversations, rounds] = [Number(values.conversations), Number(values.rounds)];
  const results: CaseResult[] = [];
  for (const minutes of values.minutes.split(',').map(Number))
    for (let repetition = 0; repetition < Number(values.repetitions); repetition++)
      results.push(await measure({ conversations, minutes, rounds, profile }));
  return report(conversations, results);
}

/** Together, each case with its server: what one left in the caches of another is of no use to it. */
async function measure(plan: Plan): Promise<CaseResult> {
  await using calls = await TalkingCalls.open({}, plan.profile);
  const { minutes } = plan;
  const first = await talkAndEnd(calls, plan, minutes, 1);
  const fetched = await fetchAndCheck(calls, first.ended, minutes);
  const following: Round[] = [];
  for (let round = 2; round <= plan.rounds; round++)
    following.push(await talkAndEnd(calls, plan, Math.min(minutes, followingMinutes), round));
  const atOnce = await talkAndFetchAtOnce(calls, plan, Math.min(minutes, followingMinutes), plan.rounds + 1);
  return { minutes, first, following, atOnce, fetched };
}

interface TalkedRound {
  conversations: Conversation[];
  voidReason: string | undefined;
}

/** @param round from 1; on the same server */
async function talk(
  calls: TalkingCalls,
  { conversations: count, profile }: Plan,
  minutes: number,
  round: number,
): Promise<TalkedRound> {
  const names = Array.from({ length: count }, (_, index) => `${minutes} minutes ${index} of round ${round}`);
  const conversations = await Promise.all(names.map((name) => calls.connect(name, phonesEach, true)));
  await wait(saidMs);
  note(`round ${round}: ${count} conversations talk`);
  await calls.forward(minutes * 60_000);
  const longestMs = profile === undefined ? longestQuietMs.usual : longestQuietMs.profiled;
  const isQuiet = await untilQuiet(calls.server.pid, longestMs);
  note(`${minutes} minutes later`);
  if (isQuiet) return { conversations, voidReason: undefined };
  const gaveUp = `round ${round}: what is done along with calls had not caught up after ${longestMs / 1000} s`;
  note(gaveUp);
  // Profiled threads never rest.
  return { conversations, voidReason: profile === undefined ? gaveUp : undefined };
}

async function talkAndEnd(
  calls: TalkingCalls,
  plan: Plan,
  minutes: number,
  round: number,
): Promise<Round<EndedConversation>> {
  const { conversations, voidReason } = await talk(calls, plan, minutes, round);
  const beganUs = systemClock.monotonicUs();
  const { ended, time } = await end(calls, conversations);
  // Profiles tell time by the same clock.
  if (plan.profile !== undefined) note(`from ${beganUs} to ${systemClock.monotonicUs()} us`);
  note(`ended: p99 ${percentile(endedMs(ended), 99).toFixed(0)} ms, ${withFigures(ended)} with figures`);
  return { ended, time, voidReason };
}

/** @throws AssertionError where a file is not the whole mix of what was recorded */
async function talkAndFetchAtOnce(
  calls: TalkingCalls,
  plan: Plan,
  minutes: number,
  round: number,
): Promise<WavRound> {
  const { conversations, voidReason } = await talk(calls, plan, minutes, round);
  const links = await Promise.all(conversations.map(({ name }) => wavLink(calls, name)));
  await leaveOne(conversations);
  const fetched = await Promise.all(
    conversations.map(async (conversation, index) => {
      const byeUs = systemClock.monotonicUs();
      void conversation.parties[0]!.call.hangUp();
      const { conversationId } = await whenTold(calls, conversation, byeUs);
      const askedMs = (systemClock.monotonicUs() - byeUs) / 1000;
      const file = await fetchWhole(links[index]!);
      const wav: WavAtOnce = {
        firstByteMs: askedMs + file.firstByteMs,
        wholeMs: askedMs + file.wholeMs,
      };
      return { conversationId, file, wav };
    }),
  );
  const check = new FileCheck(calls.server.dataDir);
  for (const { conversationId, file } of fetched) await check.mix(conversationId, file);
  return { wavs: fetched.map(({ wav }) => wav), voidReason };
}

/** Of a conversation that goes on, to the file of its mix. */
async function wavLink(calls: TalkingCalls, name: string): Promise<string> {
  const query = new URLSearchParams({ conference_name: name, status: 'active' });
  const { results } = await calls.api<{ results: ConversationBody[] }>('GET', `/v0/conversations?${query}`);
  assert.equal(results.length, 1, name);
  return results[0]!.audio.wav_file;
}

/** For the first time, and all at once. @throws AssertionError where a file is not what was said */
async function fetchAndCheck(
  calls: TalkingCalls,
  ended: readonly EndedConversation[],
  minutes: number,
): Promise<CaseResult['fetched']> {
  const mp3s: Buffer[] = [];
  const fetched = await Promise.all(
    ended.map(async ({ body }, index) => {
      const [mix, channel, mp3] = await Promise.all([
        fetchWhole(body.audio.wav_file),
        fetchWhole(body.channels[0]!.audio.wav_file),
        fetchWhole(body.audio.mp3_file, (bytes) => void (mp3s[index] = bytes)),
      ]);
      return { mix, channel, mp3 };
    }),
  );
  note('fetched');
  const check = new FileCheck(calls.server.dataDir);
  for (const [index, { conversation, conversationId, body }] of ended.entries()) {
    const [channel] = body.channels;
    const party = conversation.parties.find(({ connectionId }) => connectionId === channel!.connection_id);
    assert.ok(Math.abs(body.audio.duration_ms - minutes * 60_000) < 120_000, `${body.audio.duration_ms} ms`);
    await check.conversation({
      conversationId,
      connectionId: channel!.connection_id,
      minutes,
      ...fetched[index]!,
      mp3Bytes: mp3s[index]!,
      said: party!.call.sentPayloads.map(({ payload }) => payload),
    });
  }
  return fetched;
}

/** All but one phone of each have left already; the others leave together. */
async function end(
  calls: TalkingCalls,
  conversations: readonly Conversation[],
): Promise<Omit<Round<EndedConversation>, 'voidReason'>> {
  await leaveOne(conversations);
  const before = processTime(calls.server.pid);
  const told = conversations.map((conversation) => {
    const byeUs = systemClock.monotonicUs();
    void conversation.parties[0]!.call.hangUp();
    return whenTold(calls, conversation, byeUs);
  });
  const events = await Promise.all(told);
  const after = processTime(calls.server.pid);
  return {
    ended: await Promise.all(events.map(async (event) => ({ ...event, body: await bodyOf(calls, event) }))),
    time: { cpuMs: after.cpuMs - before.cpuMs, waitedMs: after.waitedMs - before.waitedMs },
  };
}

/** One phone in each. */
async function leaveOne(conversations: readonly Conversation[]): Promise<void> {
  await Promise.all(conversations.map(({ parties }) => parties[1]!.call.hangUp()));
  await wait(1000);
}

async function whenTold(calls: TalkingCalls, conversation: Conversation, byeUs: number): Promise<Told> {
  const { body, receivedUs } = await calls.app.waitFor<EndedEvent>(
    '/events',
    ({ type, conference_name }) => type === 'ended' && conference_name === conversation.name,
    eventTimeoutMs,
  );
  const { conversation_id: conversationId } = body as EndedEvent;
  return { conversation, conversationId, endedMs: (receivedUs - byeUs) / 1000 };
}

async function bodyOf(calls: TalkingCalls, { conversationId }: Told): Promise<ConversationBody> {
  const body = await calls.api<ConversationBody>('GET', `/v0/conversations/${conversationId}`);
  assert.equal(body.status, 'ended');
  assert.equal(body.channels.length, phonesEach);
  return body;
}

/**
 * What is done along with the calls has caught up with hours that passed in seconds: no thread that stands back for
 * others has had anything to do for a while. Then it goes on at some moment between two times at which they have.
 * @returns false where it did not come to that in so long
 */
async function untilQuiet(pid: number, longestMs: number): Promise<boolean> {
  await wait(2 * stepMs + 1000);
  const untilUs = systemClock.monotonicUs() + longestMs * 1000;
  let quiet = 0;
  while (quiet < quietSamples && systemClock.monotonicUs() < untilUs) {
    await wait(sampleMs);
    quiet = threadsOf(pid).some(({ state, nice }) => state !== 'S' && nice > 0) ? 0 : quiet + 1;
  }
  await wait(Math.random() * stepMs);
  return quiet >= quietSamples;
}

function threadsOf(pid: number): { state: string; nice: number }[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return { state: fields[0]!, nice: Number(fields[16]) };
  });
}

function note(what: string): void {
  process.stderr.write(`${what}\n`);
}
