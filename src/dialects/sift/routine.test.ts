import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CallreelError } from '../../errors.ts';
import { parseRoutine } from './routine.ts';

const join = (extra: object = {}) => ({
  routine: [{ name: 'JoinConference', conference_name: 'my_conference', ...extra }],
});

describe('parseRoutine', () => {
  test('the routine of the guide', () => {
    const verbs = parseRoutine(
      join({ do_record: true, event_callback: 'http://myserver.com/conference_event' }),
    );
    assert.deepEqual(verbs, [
      {
        verb: 'join-conference',
        name: 'my_conference',
        options: {
          policy: 'record',
          leaveKey: undefined,
          eventCallback: 'http://myserver.com/conference_event',
          warnings: [],
        },
      },
    ]);
  });

  for (const [given, policy] of [
    [{}, 'follow'],
    [{ do_record: null }, 'follow'],
    [{ do_record: false }, 'never'],
    [{ do_record: true }, 'record'],
  ] as const)
    test(`do_record ${JSON.stringify(given)} is ${policy}`, () => {
      const [verb] = parseRoutine(join(given));
      assert.equal(verb?.verb === 'join-conference' && verb.options.policy, policy);
    });

  test('an empty event_callback is unset, and on_event is its other name', () => {
    const callbackOf = (extra: object) => {
      const [verb] = parseRoutine(join(extra));
      return verb?.verb === 'join-conference' ? verb.options.eventCallback : 'no join';
    };
    assert.equal(callbackOf({ event_callback: '' }), undefined);
    assert.equal(callbackOf({ on_event: 'http://a.example/x' }), 'http://a.example/x');
  });

  for (const [body, where] of [
    [undefined, 'body'],
    ['<html>', 'body'],
    [{ routine: 'JoinConference' }, 'routine'],
    [{ routine: [{ name: 'Dance' }] }, 'routine[0].name'],
    [{ routine: [{ name: 'HangUp' }, { name: 'JoinConference' }] }, 'routine[1].conference_name'],
    [join({ do_record: 'yes' }), 'routine[0].do_record'],
    [join({ event_callback: 'ftp://x/' }), 'routine[0].event_callback'],
    [join({ leave_key: '12' }), 'routine[0].leave_key'],
    [join({ conference_name: 'a\0b' }), 'body.routine[0].conference_name'],
    [join({ event_callback: 'http://x/\ud800' }), 'body.routine[0].event_callback'],
    [{ routine: Array.from({ length: 201 }, () => ({ name: 'HangUp' })) }, 'routine'],
  ] as const)
    test(`refuses ${JSON.stringify(body)?.slice(0, 60)} at ${where}`, () => {
      assert.throws(
        () => parseRoutine(body),
        (error) =>
          error instanceof CallreelError && error.code === 'DOCUMENT_INVALID' && error.where === where,
      );
    });
});

describe('processors of a command', () => {
  const optionsOf = (extra: object) => {
    const [verb] = parseRoutine(join(extra));
    return verb?.verb === 'join-conference' ? verb.options : undefined;
  };

  test('bind a transcript where the party is recorded, and what is missing is told', () => {
    const options = optionsOf({ do_record: true, processors: ['transcribe', 'grade'] });
    assert.deepEqual(options?.recording, { transcription: {} });
    assert.deepEqual(
      options?.warnings?.map(({ feature, message }) => [feature, message.includes('grade')]),
      [['processors', true]],
    );
  });

  test('are ignored without do_record', () => {
    for (const do_record of [undefined, false]) {
      const options = optionsOf({ do_record, processors: ['transcribe', 'grade'] });
      assert.equal(options?.recording, undefined);
      assert.deepEqual(options?.warnings, []);
    }
    const [call] = parseRoutine({
      routine: [{ name: 'CallClient', client_name: 'desk', processors: ['transcribe'] }],
    });
    assert.deepEqual(call?.verb === 'connect' && call.join.recording, { transcription: {} });
  });
});
