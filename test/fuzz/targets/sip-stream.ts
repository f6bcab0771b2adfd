import assert from 'node:assert/strict';
import { parseMessage, parserLimits } from '../../../src/sip/parser.ts';
import { StreamFramer } from '../../../src/sip/stream-framer.ts';
import { readData } from '../corpus.ts';
import type { FuzzTarget } from '../target.ts';
import { sipSeeds, sipWords } from './sip-seeds.ts';

interface Outcome {
  messages: Buffer[];
  pings: number;
  pongs: number;
  followed: boolean;
}

/** A stream of several messages, cut into pieces at any place: the first byte says how. */
export function createTarget(): FuzzTarget {
  const messages = readData('rfc4475', '.dat').filter((bytes) =>
    Buffer.from(bytes).includes('Content-Length'),
  );
  const streams = [
    Buffer.concat([...sipSeeds.slice(0, 3), Buffer.from('\r\n\r\n'), ...sipSeeds.slice(3)]),
    Buffer.concat([Buffer.from('\r\n\r\n\r\n'), ...messages.slice(0, 4)]),
    ...messages,
  ];
  return {
    isText: true,
    maxBytes: 140_000,
    dictionary: [...sipWords, '\r\n\r\n', '\r\n', '\r', 'Content-Length: 5\r\n', 'l: 0\r\n\r\n'],
    seeds: () => streams.flatMap((stream) => [1, 0x7f].map((cut) => Buffer.concat([Buffer.of(cut), stream]))),
    run(input) {
      const stream = Buffer.from(input.subarray(1));
      const how = input[0] ?? 0;
      const awaitsPong = (how & 0x40) !== 0;
      const whole = frame(stream, [stream.length], awaitsPong);
      const cut = frame(stream, pieceSizes(how, stream.length), awaitsPong);
      assert.equal(cut.followed, whole.followed, 'where the stream is cut changes nothing');
      assert.deepEqual([cut.pings, cut.pongs], [whole.pings, whole.pongs]);
      // What is handed out of a stream that cannot be followed depends on how much had come.
      const followed = (all: Buffer[]) => all.slice(0, all.length - (whole.followed ? 0 : 1));
      const [cutMessages, messages] = [followed(cut.messages), followed(whole.messages)];
      assert.equal(cutMessages.length, messages.length);
      assert.ok(cutMessages.every((message, index) => message.equals(messages[index]!)));
      for (const message of messages) checkMessage(message);
    },
  };
}

/** Parser and framer agree on where a message ends, or nobody believes the message. */
function checkMessage(message: Buffer): void {
  assert.ok(message.length <= parserLimits.messageBytes);
  const result = parseMessage(message, 'stream');
  if (!result.ok) return;
  const head = message.indexOf('\r\n\r\n') + 4;
  assert.equal(result.message.body.length, message.length - head, 'framer and parser see the same body');
}

function frame(stream: Buffer, sizes: readonly number[], awaitsPong: boolean): Outcome {
  const outcome: Outcome = { messages: [], pings: 0, pongs: 0, followed: true };
  const framer = new StreamFramer({
    message: (bytes) => outcome.messages.push(Buffer.from(bytes)),
    ping: () => outcome.pings++,
    pong: () => outcome.pongs++,
  });
  if (awaitsPong) framer.expectPong();
  let at = 0;
  for (const size of sizes) {
    if (!framer.push(stream.subarray(at, at + size))) outcome.followed = false;
    at += size;
  }
  return outcome;
}

/** How much of a long stream comes in single bytes. */
const tailBytes = 1500;

function pieceSizes(seed: number, length: number): number[] {
  if (seed === 255 && length > tailBytes)
    return [length - tailBytes, ...new Array<number>(tailBytes).fill(1)];
  const sizes: number[] = [];
  // A stream of single bytes costs a call each: only the short ones.
  const unit = Math.max(seed & 0x3f, length > 4000 ? 700 : 1);
  for (let left = length, i = 0; left > 0; i++) {
    const size = Math.min(left, 1 + ((unit * (i + 1)) % (unit + 1)));
    sizes.push(size);
    left -= size;
  }
  return sizes;
}
