import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { destinationOf, planOf } from './callout-plan.ts';
import { type Callout, readCallout } from './callouts.ts';
import { SinchError } from './errors.ts';
import { readRequest } from './request-body.ts';
import { loadSvaml, type Svaml } from './svaml.ts';

const destination = { type: 'number', endpoint: '+12017777777' };
const phone = { kind: 'phone', number: '+12017777777' };
const plain = {
  ...{ cli: undefined, dtmf: undefined, maxDurationMs: 14_400_000, timeoutMs: undefined, headers: [] },
  ...{ record: undefined, cookies: [] },
};

function callout(method: Callout['method'], fields: object): Callout {
  return readRequest({ method, [method]: fields }, (body) => readCallout(body)).request;
}

function ice(document: object): Svaml {
  const { svaml, problems } = loadSvaml(document, { use: 'ice', hasDefaultStore: true });
  assert.ok(svaml, JSON.stringify(problems));
  return svaml;
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof SinchError);
    return `${error.code} ${error.message}`;
  }
  return assert.fail('it was taken');
}

describe('what becomes of a callout', () => {
  it('tts: what is said, then the end', () => {
    const prompts = [{ kind: 'text', text: 'hello', locale: 'en-US' }];
    const given = { destination, text: 'hello', locale: 'en-US', cli: '+1201', dtmf: '1w2', maxDuration: 60 };
    assert.deepEqual(planOf(callout('ttsCallout', given), undefined), {
      ...plain,
      ...{ target: phone, cli: '+1201', dtmf: '1w2', maxDurationMs: 60_000 },
      document: { instructions: [{ name: 'say', prompts }], action: { name: 'hangup' }, warnings: [] },
    });
  });

  it('conference: the greeting, then the room', () => {
    const given = { destination, conferenceId: 'room1', mohClass: 'music2', greeting: 'Welcome' };
    const { document } = planOf(callout('conferenceCallout', given), undefined);
    assert.deepEqual(
      document?.instructions.map(({ name }) => name),
      ['say'],
    );
    assert.ok(document.action?.name === 'connectConf');
    assert.deepEqual([document.action.conferenceId, document.action.moh], ['room1', 'music2']);
    const silent = planOf(callout('conferenceCallout', { destination, conferenceId: 'room1' }), undefined);
    assert.deepEqual(silent.document?.instructions, []);
  });

  it('custom: whom ICE connects, in its manner; who is not named is whom the callout names', () => {
    const custom = callout('customCallout', { destination, cli: '+1201', maxDuration: 600 });
    assert.deepEqual(planOf(custom, undefined), {
      ...plain,
      ...{ target: phone, cli: '+1201', maxDurationMs: 600_000, document: undefined },
    });
    const action = { name: 'connectPstn', number: '+1 (555) 777-2277', dialTimeout: 20, maxDuration: 90 };
    const cookie = { name: 'setCookie', key: 'a', value: 'b' };
    const told = planOf(
      custom,
      ice({ instructions: [cookie], action: { ...action, cli: '+1202', dtmf: '5' } }),
    );
    assert.deepEqual(told, {
      ...plain,
      ...{ target: { kind: 'phone', number: '+15557772277' }, cli: '+1202', dtmf: '5' },
      ...{ maxDurationMs: 90_000, timeoutMs: 20_000, cookies: [cookie], document: undefined },
    });
    assert.deepEqual(planOf(custom, ice({ action: { name: 'connectPstn' } })).target, phone);
    const sip = { name: 'connectSip', destination: { type: 'sip', endpoint: 'bob@127.0.0.1' } };
    const headers = [{ key: 'Order', value: '7' }];
    const bySip = planOf(custom, ice({ action: { ...sip, callHeaders: headers } }));
    assert.deepEqual(bySip.target, { kind: 'phone', number: 'sip:bob@127.0.0.1' });
    assert.deepEqual(bySip.headers, [{ name: 'X-Order', value: '7' }]);
    const mxp = { name: 'connectMxp', destination: { type: 'username', endpoint: 'bob' } };
    assert.deepEqual(planOf(custom, ice({ action: mxp })).target, { kind: 'client', name: 'bob' });
  });

  it('a recording that ICE asks for, by its flag or an instruction', () => {
    const custom = callout('customCallout', { destination });
    const [start, stop] = [{ name: 'startRecording', options: { format: 'wav' } }, { name: 'stopRecording' }];
    const format = (document: object) => planOf(custom, ice(document)).record?.format;
    const connect = { name: 'connectPstn' };
    assert.equal(format({ action: { ...connect, record: true } }), 'mp3');
    assert.equal(format({ instructions: [start], action: connect }), 'wav');
    assert.equal(format({ instructions: [start, stop], action: connect }), undefined);
  });

  it('nobody to call', () => {
    const custom = callout('customCallout', {});
    assert.match(
      refusal(() => planOf(custom, undefined)),
      /^40002 customCallout: "destination" is missing/,
    );
    assert.match(
      refusal(() => planOf(custom, ice({ action: { name: 'connectPstn' } }))),
      /^40002 customCallout\.ice/,
    );
    assert.match(
      refusal(() => planOf(custom, ice({ action: { name: 'hangup' } }))),
      /^40003 .* not hangup$/,
    );
    assert.match(
      refusal(() => planOf(custom, ice({}))),
      /not nothing$/,
    );
  });
});

it('a destination as callbacks name it', () => {
  assert.deepEqual(destinationOf({ kind: 'phone', number: '+1201' }), { type: 'number', endpoint: '+1201' });
  assert.deepEqual(destinationOf({ kind: 'phone', number: 'sip:bob@127.0.0.1:5062' }), {
    type: 'sip',
    endpoint: 'bob@127.0.0.1:5062',
  });
  assert.deepEqual(destinationOf({ kind: 'client', name: 'bob' }), { type: 'username', endpoint: 'bob' });
});
