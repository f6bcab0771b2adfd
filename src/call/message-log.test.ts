import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageLog, messageLimits, readTapped, toLogged } from './message-log.ts';

const way = {
  transport: 'udp',
  remote: { transport: 'udp', address: '192.0.2.1', port: 5060 },
  local: { host: '192.0.2.9', port: 5061 },
} as const;

function logged(branch: string, headers = '') {
  const text = `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=${branch}\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n${headers}\r\n`;
  const tapped = readTapped(Buffer.from(text));
  assert.ok(tapped);
  return { outline: tapped.outline, message: toLogged(tapped, 'received', way, 5) };
}

test('a message with where it went and when', () => {
  const { message } = logged('a');
  assert.deepEqual(
    { ...message, text: '' },
    {
      atUnixUs: 5,
      direction: 'received',
      transport: 'udp',
      local: { address: '192.0.2.9', port: 5061 },
      remote: { address: '192.0.2.1', port: 5060 },
      method: 'OPTIONS',
      sequence: 1,
      retransmission: false,
      text: '',
      leftOff: 0,
    },
  );
});

test('the second transmission in the same direction is marked', () => {
  const log = new MessageLog();
  const { outline, message } = logged('a');
  log.add(outline, message);
  log.add(outline, { ...message, direction: 'sent' });
  log.add(outline, message);
  assert.deepEqual(
    log.messages.map(({ retransmission }) => retransmission),
    [false, false, true],
  );
});

test('packed it takes little, tells the same and goes on', () => {
  const log = new MessageLog();
  const messages = ['a', 'b', 'c'].map((branch) =>
    logged(branch, `Subject: \u{1f600} ${'-'.repeat(500)}\r\n`),
  );
  for (const { outline, message } of messages) log.add(outline, message);
  const before = { messages: log.messages, characters: log.characters };
  log.pack();
  log.pack();
  assert.ok(log.characters < before.characters / 4, `${log.characters} of ${before.characters}`);
  assert.deepEqual(log.messages, before.messages);
  log.add(messages[0]!.outline, messages[0]!.message);
  assert.deepEqual(
    log.messages.map(({ retransmission }) => retransmission),
    [false, false, false, true],
  );
  // What came lies beside what is packed.
  assert.ok(log.characters < before.characters, `${log.characters} of ${before.characters}`);
  const whole = log.messages;
  log.pack();
  assert.deepEqual(log.messages, whole);
  assert.ok(log.characters < before.characters / 4);
});

test('packed in between it keeps as many, and the same ones', () => {
  const logs = [new MessageLog(), new MessageLog()] as const;
  for (let k = 0; k < messageLimits.messages + 50; k++) {
    const { outline, message } = logged(`p${k % 120}`);
    for (const log of logs) log.add(outline, { ...message, atUnixUs: k });
    if (k % 70 === 69) logs[1].pack();
  }
  assert.deepEqual(logs[1].messages, logs[0].messages);
  assert.equal(logs[1].messages.length, messageLimits.messages);
  assert.equal(logs[1].dropped, logs[0].dropped);
});

test('what lies beside a packed part is counted as it is', () => {
  const log = new MessageLog();
  const one = logged('q', `Subject: ${'-'.repeat(4000)}\r\n`);
  log.add(one.outline, one.message);
  const alone = log.characters;
  log.pack();
  const packed = log.characters;
  log.add(one.outline, one.message);
  assert.equal(log.characters, packed + alone);
});

test('a log without a message, or a very long one, is not packed', () => {
  const log = new MessageLog();
  log.pack();
  assert.deepEqual(log.messages, []);
  for (let k = 0; k < 20; k++) {
    const { outline, message } = logged(`e${k}`, `Subject: ${'-'.repeat(6000)}\r\n`);
    log.add(outline, message);
  }
  const { characters } = log;
  log.pack();
  assert.equal(log.characters, characters);
  assert.equal(log.messages.length, 20);
});

test('of too many the first and the latest are kept, the others counted', () => {
  const log = new MessageLog();
  for (let k = 0; k < messageLimits.messages + 50; k++) {
    const { outline, message } = logged(`b${k}`);
    log.add(outline, message);
  }
  const branches = log.messages.map(({ text }) => Number(/branch=b(\d+)/.exec(text)?.[1]));
  const half = messageLimits.messages / 2;
  assert.equal(log.dropped, 50);
  assert.equal(branches.length, messageLimits.messages);
  assert.deepEqual(
    branches.slice(0, half),
    Array.from({ length: half }, (_, k) => k),
  );
  assert.equal(branches[half], half + 50);
  assert.equal(branches.at(-1), messageLimits.messages + 49);
});

test('what is kept can be stored: cut, without NUL, well formed', () => {
  const { message } = logged('c', `Subject: a\0b${'\u{1f600}'.repeat(messageLimits.characters)}\r\n`);
  assert.equal(message.text.length, messageLimits.characters);
  assert.ok(message.leftOff > messageLimits.characters / 2);
  assert.ok(message.text.isWellFormed());
  assert.ok(!message.text.includes('\0'));
});

test('half a surrogate pair at the cut does not stay', () => {
  for (const pad of ['', 'x']) {
    const { message } = logged('d', `S: ${pad}${'\u{1f600}'.repeat(messageLimits.characters)}\r\n`);
    assert.ok(message.text.isWellFormed());
  }
});
