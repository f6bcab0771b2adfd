import assert from 'node:assert/strict';
import { decodeUlaw } from '../../src/codec/g711.ts';
import { findPayloadRun } from '../../src/testkit/sample-run.ts';

const packetSamples = 160;
const packetsASecond = 50;
/**
 * A stream that is driven says the last ten seconds again and again. Each minute a few packets of the phone's own come
 * in between, and are said again too: after some hours the ten seconds are put together of pieces so short.
 */
const jumps = { firstMinutes: 12, share: 0.2 };
const firstMinutes = 2;
/** Its first and its last words: before they are known by, and after. */
const edgeSeconds = 3;
const needlePackets = 10;
const needleAt = 20;
/** Silence is said in more places than these, and tells nothing of where in its words a party is. */
const manyPlaces = 64;

/**
 * A channel holds nothing but whole packets of its party, one behind another, in the order in which it sent them but
 * for the places at which it began again; no sample stands between them and none is missing.
 *
 * @param said µ-law, as the party sent them
 * @throws AssertionError
 */
export function assertSaid(samples: Int16Array, said: readonly Uint8Array[], minutes: number): void {
  const decoded = said.map((payload) => {
    const packet = new Int16Array(payload.length);
    decodeUlaw(payload, packet);
    return packet;
  });
  const places = new Map<string, number[]>();
  for (const [index, packet] of decoded.entries()) {
    const key = keyOf(packet);
    const known = places.get(key);
    if (known) known.push(index);
    else places.set(key, [index]);
  }
  const needle = Int16Array.from(
    decoded.slice(needleAt, needleAt + needlePackets).flatMap((each) => [...each]),
  );
  const head = samples.subarray(0, 60 * packetsASecond * packetSamples);
  const found = findPayloadRun(head, needle);
  assert.ok(found >= 0 && found < edgeSeconds * packetsASecond * packetSamples, `first words at ${found}`);
  const last = samples.length - edgeSeconds * packetsASecond * packetSamples;
  let jumped = 0;
  let next = [needleAt];
  for (let at = found; at < last; at += packetSamples) {
    const candidates = places.get(keyOf(samples.subarray(at, at + packetSamples)));
    assert.ok(candidates, `what stands at sample ${at} was not said: ${whatStands(samples, at, decoded)}`);
    let here = candidates.length > manyPlaces ? next : next.filter((place) => candidates.includes(place));
    if (here.length === 0) {
      jumped += 1;
      here = candidates;
    }
    next = here.map((place) => place + 1);
  }
  const packets = (last - found) / packetSamples;
  const most = minutes <= firstMinutes ? jumps.firstMinutes * (minutes + 1) : jumps.share * packets;
  assert.ok(jumped <= most, `${jumped} jumps in ${packets} packets`);
}

/** For who looks for the reason: how much silence stands there, and where words go on that were said. */
function whatStands(samples: Int16Array, at: number, said: readonly Int16Array[]): string {
  const rest = samples.subarray(at);
  const silent = rest.findIndex((sample) => sample !== 0);
  const known = new Map(said.map((packet, index) => [keyOf(packet), index]));
  for (let goesOn = 1; goesOn < rest.length; goesOn++) {
    const index = known.get(keyOf(rest.subarray(goesOn, goesOn + packetSamples)));
    if (index !== undefined)
      return `it begins with ${silent} samples of silence; packet ${index} stands ${goesOn} samples behind it`;
  }
  return `it begins with ${silent} samples of silence, and nothing that was said stands behind it`;
}

function keyOf(packet: Int16Array): string {
  return Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength).toString('latin1');
}
