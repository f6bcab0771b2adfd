import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRoutine } from '../../dialects/sift/routine.ts';
import {
  type Command,
  callClient,
  callPhone,
  getDigits,
  getName,
  getNumber,
  hangUp,
  joinConference,
  play,
  routine,
  say,
} from '../sift.ts';

const url = 'https://app.example/next';
const conversation = {
  doRecord: true,
  eventCallback: url,
  liveTalkTimes: true,
  liveTranscripts: true,
  liveTopics: true,
};
const emittedConversation = {
  do_record: true,
  event_callback: url,
  live_talk_times: true,
  live_transcripts: true,
  live_topics: true,
};
const gathering = { timeoutSeconds: 0, promptUrl: url, promptText: 'Press', onDone: url };
const emittedGathering = { timeout_seconds: 0, prompt_url: url, prompt_text: 'Press', on_done: url };

const calls: readonly [Command, object][] = [
  [say('Hello'), { name: 'Say', text: 'Hello' }],
  [
    say({ text: 'Hello', voice: 'slt', onDone: url }),
    { name: 'Say', text: 'Hello', voice: 'slt', on_done: url },
  ],
  [play(url), { name: 'Play', sound_url: url }],
  [play({ soundUrl: url, onDone: url }), { name: 'Play', sound_url: url, on_done: url }],
  [getDigits(), { name: 'GetDigits' }],
  [
    getDigits({ count: 4, terminator: '', ...gathering }),
    { name: 'GetDigits', count: 4, terminator: '', ...emittedGathering },
  ],
  [getNumber(gathering), { name: 'GetNumber', ...emittedGathering }],
  [getName(gathering), { name: 'GetName', ...emittedGathering }],
  [
    joinConference({
      conferenceName: 'my_conference',
      leaveKey: '*',
      liveEmotion: true,
      liveScan: [{ key: 'a', query: 'b' }],
      processors: ['grade', 'transcribe'],
      ...conversation,
    }),
    {
      name: 'JoinConference',
      conference_name: 'my_conference',
      leave_key: '*',
      live_emotion: true,
      live_scan: [{ key: 'a', query: 'b' }],
      processors: ['grade', 'transcribe'],
      ...emittedConversation,
    },
  ],
  [callPhone('+15551234567'), { name: 'CallPhone', phone_number: '+15551234567' }],
  [
    callPhone({ phoneNumber: 'sip:a@b', ...conversation, doRecord: false }),
    { name: 'CallPhone', phone_number: 'sip:a@b', ...emittedConversation, do_record: false },
  ],
  [
    callClient({ clientName: 'bob', ...conversation }),
    { name: 'CallClient', client_name: 'bob', ...emittedConversation },
  ],
  [hangUp(), { name: 'HangUp' }],
];

describe('each command has the parameters of Sift, and the server takes them', () => {
  for (const [command, emitted] of calls)
    test(JSON.stringify(emitted), () => {
      assert.deepEqual(JSON.parse(JSON.stringify(command)), emitted);
      assert.equal(parseRoutine({ routine: [command] }).length, 1);
    });
});

test('a routine grows by calls, and takes commands made elsewhere', () => {
  const document = routine(say('Hello'))
    .play(url)
    .getDigits({ count: 1 })
    .getNumber()
    .joinConference({ conferenceName: 'a' })
    .callPhone('+15551234567')
    .callClient('bob')
    .add(say('Goodbye'))
    .hangUp();
  const names = JSON.parse(JSON.stringify(document)).routine.map(({ name }: Command) => name);
  assert.deepEqual(names, [
    'Say',
    'Play',
    'GetDigits',
    'GetNumber',
    'JoinConference',
    'CallPhone',
    'CallClient',
    'Say',
    'HangUp',
  ]);
  assert.equal(parseRoutine(document.toJSON()).length, 9);
});

/** Read by the compiler alone: what is wrong does not compile. */
export function refused(): void {
  // @ts-expect-error: the conference has a name
  joinConference({ doRecord: true });
  // @ts-expect-error: no key
  joinConference({ conferenceName: 'a', leaveKey: 'x' });
  // @ts-expect-error: a misspelt name
  callPhone({ phoneNumber: '+1', do_record: true });
}
