import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpeechSearch } from './speech-search.ts';
import { randomOf } from './test-random.ts';

const packetUs = 20_000;
const meanSquareOf = (dbov: number) => 32_768 ** 2 * 10 ** (dbov / 10);

/** What is found in seconds, where each packet has this level. */
function found(
  seconds: number,
  dbovAt: (second: number) => number | undefined,
  search = new SpeechSearch(),
): number[][] {
  search.begin(0);
  for (let us = 0; us < seconds * 1e6; us += packetUs) {
    const dbov = dbovAt(us / 1e6);
    if (dbov !== undefined) search.hear(us, meanSquareOf(dbov));
  }
  return search.end(seconds * 1e6).map(({ fromUs, toUs }) => [fromUs / 1e6, toUs / 1e6]);
}

const isWithin = (from: number, second: number, to: number) => from <= second && second < to;

test('a word is found with a second around it, in silence, in noise, and where nothing is sent between', () => {
  const random = randomOf(3);
  for (const floor of [-127, -70, () => -45 + 2 * random(), undefined]) {
    const quiet = typeof floor === 'function' ? floor : () => floor;
    const spans = found(60, (second) => (isWithin(20, second, 20.4) ? -25 : quiet()));
    assert.equal(spans.length, 1, `${spans}`);
    const [from, to] = spans[0]!;
    assert.ok(from! >= 18.5 && from! <= 19.1 && to! >= 21.3 && to! <= 21.6, `${spans}`);
  }
});

test('nothing is found in silence, steady noise, clicks, and what is too soft for anybody', () => {
  const random = randomOf(4);
  assert.deepEqual(
    found(60, () => -127),
    [],
  );
  assert.deepEqual(
    found(60, () => -35 + 3 * random()),
    [],
  );
  assert.deepEqual(
    found(60, (second) => (second % 3 < 0.02 ? -10 : -80)),
    [],
  );
  assert.deepEqual(
    found(60, (second) => (isWithin(20, second, 25) ? -59 : -127)),
    [],
  );
});

test('what goes on is given ten seconds at a time, without overlap, up to its end', () => {
  const spans = found(60, (second) => (isWithin(20, second, 45) && second % 0.5 < 0.35 ? -25 : -80));
  assert.equal(spans.length, 3);
  assert.ok(spans[0]![0]! < 19.2 && spans.at(-1)![1]! > 45.4, `${spans}`);
  for (const [at, [from, to]] of spans.entries()) {
    assert.ok(to! - from! <= 10.001, `${spans}`);
    if (at > 0) assert.ok(from! >= spans[at - 1]![1]!, `${spans}`);
  }
  const [[, toEnd]] = found(22, (second) => (second > 20 ? -25 : -80)) as [[number, number]];
  assert.equal(toEnd, 22, 'what is heard at the end as well');
});

test('noise that comes and goes is given less and less', () => {
  const search = new SpeechSearch();
  const secondsOf = (spans: number[][]) => spans.reduce((sum, [from, to]) => sum + to! - from!, 0);
  const comesAndGoes = (second: number) => (second % 8 < 2 ? -30 : -60);
  const first = secondsOf(found(120, comesAndGoes, search));
  const later = [1, 2, 3].map(() => secondsOf(found(120, comesAndGoes, search)));
  assert.ok(first > 45 && first < 80, `${first}`);
  for (const seconds of later.slice(1)) assert.ok(seconds > 12 && seconds < 25, `${later}`);
});
