import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAnonymous, readCallerIdentity, type SipIdentity } from './caller-identity.ts';

const headers = (lines: string) =>
  lines
    .trim()
    .split('\n')
    .map((line) => {
      const colon = line.indexOf(':');
      return { name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() };
    });

const cases: [what: string, lines: string, expected: SipIdentity][] = [
  [
    'display names and compact forms',
    `f: "Ann \\"A\\" Lee" <sip:+15551110001@example.com>;tag=1
     t: Desk <sip:1000@example.com>`,
    {
      from: { uri: 'sip:+15551110001@example.com', displayName: 'Ann "A" Lee', user: '+15551110001' },
      to: { uri: 'sip:1000@example.com', displayName: 'Desk', user: '1000' },
    },
  ],
  [
    'RFC 3325 section 9.1: a SIP and a tel URI in one header, or in two',
    `P-Asserted-Identity: "Cullen Jennings" <sip:fluffy@cisco.com>, <tel:+14085264000;cpc=payphone>
     P-Asserted-Identity: tel:+14085264001`,
    {
      asserted: [
        { uri: 'sip:fluffy@cisco.com', displayName: 'Cullen Jennings', user: 'fluffy' },
        { uri: 'tel:+14085264000;cpc=payphone', user: '+14085264000' },
        { uri: 'tel:+14085264001', user: '+14085264001' },
      ],
    },
  ],
  ['Privacy', 'Privacy: ID; Critical', { privacy: ['id', 'critical'] }],
  [
    'Remote-Party-ID',
    'Remote-Party-ID: "Ann" <sip:5551@gw>;party=calling;screen=yes;privacy=off',
    {
      remoteParty: [
        {
          uri: 'sip:5551@gw',
          displayName: 'Ann',
          user: '5551',
          party: 'calling',
          screen: 'yes',
          privacy: 'off',
        },
      ],
    },
  ],
  [
    'Diversion, quoted reason too',
    'Diversion: <sip:+1555@a>;reason=no-answer;counter=2;privacy=off, <sip:+1556@b>;reason="unknown"',
    {
      diversion: [
        { uri: 'sip:+1555@a', user: '+1555', reason: 'no-answer', counter: 2 },
        { uri: 'sip:+1556@b', user: '+1556', reason: 'unknown' },
      ],
    },
  ],
  [
    'History-Info: causes as parameter and as Reason',
    'History-Info: <sip:bob@a?Subject=cause&Reason=SIP%3Bcause%3D302&Privacy=none>;index=1, <sip:carol@b;cause=408>;index=1.1',
    {
      history: [
        {
          uri: 'sip:bob@a?Subject=cause&Reason=SIP%3Bcause%3D302&Privacy=none',
          user: 'bob',
          index: '1',
          cause: 302,
        },
        { uri: 'sip:carol@b;cause=408', user: 'carol', index: '1.1', cause: 408 },
      ],
    },
  ],
  [
    "a PASSporT is kept as it is, with the network's verdict",
    `Identity: eyJ.abc.def;info=<https://cert.example.org/p.cer>;alg=ES256;ppt=shaken
     P-Asserted-Identity: <sip:+12155551212;verstat=TN-Validation-Passed@example.com;user=phone>`,
    {
      passports: ['eyJ.abc.def;info=<https://cert.example.org/p.cer>;alg=ES256;ppt=shaken'],
      verstat: 'TN-Validation-Passed',
      asserted: [
        {
          uri: 'sip:+12155551212;verstat=TN-Validation-Passed@example.com;user=phone',
          user: '+12155551212',
        },
      ],
    },
  ],
  ['nonsense is left out', 'P-Asserted-Identity: <<<, nobody\nDiversion: ;reason=x\nPrivacy: ;;', {}],
];
for (const [what, lines, expected] of cases)
  test(what, () => {
    const { from, ...identity } = readCallerIdentity(headers(lines));
    assert.deepEqual(expected.from === undefined ? identity : { from, ...identity }, expected);
  });

test('whatever a peer sends, little is kept', () => {
  const long = 'x'.repeat(60_000);
  const many = Array.from({ length: 500 }, () => `<sip:${'9'.repeat(200)}@a>`).join(', ');
  const identity = readCallerIdentity([
    ...Array.from({ length: 50 }, () => ({ name: 'Identity', value: long.slice(0, 5000) })),
    ...Array.from({ length: 50 }, () => ({ name: 'y', value: long.slice(0, 4000) })),
    { name: 'P-Asserted-Identity', value: many },
    { name: 'Diversion', value: many },
    { name: 'History-Info', value: many },
    { name: 'Privacy', value: long },
    { name: 'From', value: `"${long}" <sip:a@b>` },
  ]);
  assert.equal(identity.passportsLeftOut, 96);
  assert.equal(identity.asserted?.length, 8);
  assert.ok(JSON.stringify(identity).length < 32_000);
  const hostile = readCallerIdentity([{ name: 'From', value: '"a\u0000\u202eb" <sip:a@b>' }]);
  assert.equal(hostile.from?.displayName, 'a\ufffd\ufffdb');
});

const anonymity: [lines: string, expected: boolean][] = [
  ['From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1', true],
  ['From: <sip:anonymous@example.com>', true],
  ['From: <sip:c8oqz84zk7z@anonymous.invalid>', true],
  ['From: <sip:+1555@example.com>\nPrivacy: id', true],
  ['From: <sip:+1555@example.com>\nPrivacy: user;header', true],
  ['From: <sip:+1555@example.com>\nPrivacy: none', false],
  ['From: "Anonymous" <sip:+1555@example.com>', false],
];
for (const [lines, expected] of anonymity)
  test(`${lines.replace('\n', ', ')}: ${expected ? '' : 'not '}anonymous`, () =>
    assert.equal(isAnonymous(readCallerIdentity(headers(lines))), expected));
