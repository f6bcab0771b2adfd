import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Caller, directFrom, trunkIdentity } from './outgoing-identity.ts';
import { testTrunk } from './test-trunk.ts';
import type { Trunk } from './trunk.ts';

const ann: Caller = { party: '+4930901820', displayName: 'Ann "A"' };
const name = '"Ann \\"A\\""';
const hidden: Caller = { ...ann, anonymous: true };
const anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>';

type Case = [what: string, trunk: Partial<Trunk>, caller: Caller, from: string, headers: string[]];
const cases: Case[] = [
  ['From alone', {}, ann, `${name} <sip:+4930901820@sip.example.com>`, []],
  ['the number of the trunk', { fromNumber: '+49111' }, { party: '1' }, '<sip:+49111@sip.example.com>', []],
  [
    'another domain, digits',
    { options: { fromDomain: 'ims.example.com', numberForm: 'digits' } },
    { party: '+4930901820' },
    '<sip:4930901820@ims.example.com>',
    [],
  ],
  [
    'the account in From, the number asserted',
    { options: { fromUser: 'acc 1', callerId: 'p-asserted-identity' } },
    { party: '+4930901820' },
    '<sip:acc%201@sip.example.com>',
    ['P-Asserted-Identity: <sip:+4930901820@sip.example.com>'],
  ],
  [
    'Remote-Party-ID, national number',
    { options: { callerId: 'remote-party-id', numberForm: 'national', country: 'DE' } },
    ann,
    `${name} <sip:030901820@sip.example.com>`,
    [`Remote-Party-ID: ${name} <sip:030901820@sip.example.com>;party=calling;screen=yes;privacy=off`],
  ],
  [
    'anonymous: asserted to the trunk alone',
    {},
    hidden,
    anonymous,
    [`P-Asserted-Identity: ${name} <sip:+4930901820@sip.example.com>`, 'Privacy: id'],
  ],
  [
    'anonymous by Remote-Party-ID',
    { options: { callerId: 'remote-party-id' } },
    { party: '+49111', anonymous: true },
    anonymous,
    ['Remote-Party-ID: <sip:+49111@sip.example.com>;party=calling;screen=yes;privacy=full', 'Privacy: id'],
  ],
  [
    'always anonymous',
    { options: { privacy: 'always' } },
    { party: '+49111' },
    anonymous,
    ['P-Asserted-Identity: <sip:+49111@sip.example.com>', 'Privacy: id'],
  ],
  [
    'never anonymous',
    { options: { privacy: 'never' } },
    { ...hidden, displayName: '' },
    '<sip:+4930901820@sip.example.com>',
    [],
  ],
  ['a caller that nobody knows', {}, { party: 'anonymous' }, anonymous, ['Privacy: id']],
  ['a SIP party keeps its address', {}, { party: 'sip:ann@example.org' }, '<sip:ann@example.org>', []],
  ['an IPv6 peer', { host: '2001:db8::1' }, { party: '1' }, '<sip:1@[2001:db8::1]>', []],
];
for (const [what, parts, caller, from, headers] of cases)
  test(what, () => {
    const identity = trunkIdentity(testTrunk('t', parts), caller);
    assert.deepEqual(
      [identity.from, ...identity.headers.map((header) => `${header.name}: ${header.value}`)],
      [from, ...headers],
    );
  });

test('without a trunk', () => {
  assert.equal(directFrom({ party: '+1555' }, '192.0.2.1'), '<sip:+1555@192.0.2.1>');
  assert.equal(directFrom({ party: 'sip:a@b', displayName: 'A' }, 'h'), '"A" <sip:a@b>');
  assert.equal(directFrom({ party: 'anonymous' }, 'h'), anonymous);
});
