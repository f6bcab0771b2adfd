import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadSvaml } from '../../dialects/sinch/svaml.ts';
import { type SvamlBuilder, svaml } from '../sinch.ts';

const recordingOptions = { destinationUrl: 's3://bucket/', credentials: 'a:b:c', format: 'wav' } as const;

/** The server reads it without a complaint. */
function taken(document: SvamlBuilder, use: 'ice' | 'ace' | 'pie' | 'manage') {
  const { svaml: read, problems } = loadSvaml(JSON.stringify(document), { use });
  assert.deepEqual(problems, []);
  return read!;
}

describe('SVAML documents', () => {
  it('have their instructions in order, and one action', () => {
    const document = svaml()
      .answer()
      .say('Hello', 'en-GB')
      .startRecording(recordingOptions)
      .playFiles(['https://files.example/a.mp3', '#tts[Hi]'], 'en-US')
      .sendDtmf('1w2#')
      .setCookie('step', 'one')
      .stopRecording()
      .connectPstn({ number: '+15551234567', cli: '+1201', maxDuration: 60 });
    assert.deepEqual(document.toJSON(), {
      instructions: [
        { name: 'answer' },
        { name: 'say', text: 'Hello', locale: 'en-GB' },
        { name: 'startRecording', options: recordingOptions },
        { name: 'playFiles', ids: ['https://files.example/a.mp3', '#tts[Hi]'], locale: 'en-US' },
        { name: 'sendDtmf', value: '1w2#' },
        { name: 'setCookie', key: 'step', value: 'one' },
        { name: 'stopRecording' },
      ],
      action: { name: 'connectPstn', number: '+15551234567', cli: '+1201', maxDuration: 60 },
    });
    assert.equal(taken(document, 'ice').instructions.length, 7);
    assert.throws(() => document.hangup(), /an action already: connectPstn/);
  });

  it('every action is taken, where the vendor allows it', () => {
    const record = { record: true, recordingOptions };
    const menus = [{ id: 'main', options: [{ dtmf: '1', action: 'return(sales)' as const }] }];
    taken(svaml().hangup(), 'ice');
    taken(svaml().continue(record), 'ace');
    taken(svaml().connectPstn(), 'ice');
    taken(svaml().connectPstn('+15551234567'), 'ice');
    taken(svaml().connectSip({ endpoint: 'alice@example.com', transport: 'tls', ...record }), 'ice');
    taken(svaml().connectSip('sip:alice@example.com'), 'pie');
    taken(svaml().connectMxp({ username: 'alice', ...record }), 'ice');
    taken(svaml().connectMxp(), 'ice');
    taken(svaml().connectConf({ conferenceId: 'room', moh: 'music1', ...record }), 'ace');
    taken(svaml().connectConf('room'), 'pie');
    taken(svaml().runMenu({ menus, barge: false }), 'ace');
    taken(svaml().park({ holdPrompt: '#tts[wait]', maxDuration: 600 }), 'manage');
    taken(svaml().startRecording(recordingOptions).continue(), 'manage');
  });

  it('nothing at all is an empty one', () => {
    assert.equal(JSON.stringify(svaml()), '{}');
  });
});
