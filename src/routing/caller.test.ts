import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipIdentity } from '../sip/caller-identity.ts';
import { calledName, callerName } from './caller.ts';

const from = (user: string) => ({ uri: `sip:${user}@example.com`, user });
const base: SipIdentity = { from: from('+15551110001'), asserted: [from('+15552220002')] };

const cases: [
  what: string,
  identity: SipIdentity,
  trusted: boolean,
  country: string | undefined,
  name: string | undefined,
][] = [
  ['From of a stranger', base, false, undefined, '+15551110001'],
  ['what a trunk asserts', base, true, undefined, '+15552220002'],
  [
    'the tel URI of two',
    { asserted: [from('fluffy'), from('+15552220002')] },
    true,
    undefined,
    '+15552220002',
  ],
  ['a national number of a trunk', { asserted: [from('030901820')] }, true, 'DE', '+4930901820'],
  [
    'a national number of nowhere',
    { asserted: [from('030901820')], from: from('a') },
    true,
    undefined,
    '030901820',
  ],
  ['nothing that is a number', { from: from('ann') }, true, 'DE', undefined],
  ['an extension', { from: from('100') }, false, undefined, undefined],
  ['anonymous, whatever is asserted', { ...base, privacy: ['id'] }, true, undefined, 'anonymous'],
  [
    'Remote-Party-ID of the calling party',
    { from: from('x'), remoteParty: [{ ...from('+1555333'), party: 'called' }, from('+15554440004')] },
    true,
    undefined,
    '+15554440004',
  ],
  [
    'Remote-Party-ID of a stranger',
    { from: from('x'), remoteParty: [from('+15554440004')] },
    false,
    undefined,
    undefined,
  ],
];
for (const [what, identity, trusted, country, name] of cases)
  test(what, () => assert.equal(callerName(identity, { trusted, country }), name));

test('a called number', () => {
  assert.equal(calledName('030901820', 'DE'), '+4930901820');
  assert.equal(calledName('004930901820', undefined), '+4930901820');
  assert.equal(calledName('1000', undefined), '1000');
});
