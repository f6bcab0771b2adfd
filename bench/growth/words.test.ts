import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUlaw } from '../../src/codec/g711.ts';
import { packetSamples, wordsOf, wrongIn } from './words.ts';

const packets = 5;

function recorded(party: number, leading = 33): Int16Array {
  const channel = new Int16Array(leading + packets * packetSamples + 80);
  for (let packet = 0; packet < packets; packet++)
    decodeUlaw(wordsOf(party, packet), channel, leading + packet * packetSamples);
  return channel;
}

test('what a party said is right, wherever it begins', () => {
  for (let party = 0; party < 50; party++) assert.equal(wrongIn(recorded(party), party, packets), undefined);
  assert.equal(wrongIn(recorded(7, 0), 7, packets), undefined);
});

test('silence, a packet less, one more, and those of others are wrong', () => {
  assert.match(wrongIn(new Int16Array(4000), 7, packets)!, /silent/);
  assert.match(wrongIn(recorded(7), 7, packets - 1)!, /800 samples were recorded of 640/);
  assert.match(wrongIn(recorded(7), 7, packets + 1)!, /800 samples were recorded of 960/);
  assert.match(wrongIn(recorded(7), 8, packets)!, /packet 0/);
});

test('one sample is enough', () => {
  const channel = recorded(7);
  channel[33 + 2 * packetSamples + 5]! += 1;
  assert.match(wrongIn(channel, 7, packets)!, /packet 2/);
});
