import assert from 'node:assert/strict';
import { SrtpContext } from '../../../src/rtp/srtp-context.ts';
import { maxSrtpOverheadBytes } from '../../../src/rtp/srtp-limits.ts';
import { type SrtpKey, srtpKeyBytes, srtpSuiteNames } from '../../../src/sdp/srtp-parameters.ts';
import { InputReader } from '../input-reader.ts';
import type { FuzzTarget } from '../target.ts';

/**
 * A phone that seals and a leg that opens, with whatever happens to the packets between them. An input is a suite, then
 * steps: a packet of RTP or RTCP that arrives as it is, changed, again or late; other keys; bytes from a stranger.
 */
export function createTarget(): FuzzTarget {
  return {
    isText: false,
    maxBytes: 2048,
    dictionary: [Uint8Array.of(0, 0xff, 0xff, 4), Uint8Array.of(3), Uint8Array.of(4, 30, 0x80, 0)],
    seeds: () => [0, 1, 2, 3, 4, 5].map(seed),
    run: (input) => new Exchange(new InputReader(input)).run(),
  };
}

const maxPayloadBytes = 64;
/** Each costs the derivation of all keys. */
const maxGenerations = 50;
const packetBytes = 12 + maxPayloadBytes + maxSrtpOverheadBytes;

class Exchange {
  readonly #input: InputReader;
  readonly #suite: (typeof srtpSuiteNames)[number];
  readonly #hasMki: boolean;
  #generation = 1;
  readonly #phone: SrtpContext;
  readonly #leg: SrtpContext;
  /** Sealed packets of ours; whatever else is opened was forged. */
  readonly #sealed = new Set<string>();
  readonly #opened = new Set<string>();
  #nowUs = 0;
  #last = new Uint8Array(0);

  constructor(input: InputReader) {
    this.#input = input;
    const choice = input.uint8();
    this.#suite = srtpSuiteNames[choice % 3]!;
    this.#hasMki = choice % 2 === 1;
    this.#phone = new SrtpContext(this.#agreed());
    this.#leg = new SrtpContext(this.#agreed());
  }

  run(): void {
    while (!this.#input.done) {
      const step = this.#input.uint8() % 8;
      this.#nowUs += 20_000;
      if (step < 3) this.#deliver(this.#seal(false), step === 2);
      else if (step < 5) this.#deliver(this.#seal(true), step === 4);
      else if (step === 5) this.#receive(this.#last);
      else if (step === 6) this.#receive(Uint8Array.from(this.#input.take(this.#input.uint8())));
      else if (this.#generation < maxGenerations) this.#rekey();
    }
  }

  #agreed() {
    const bytes = srtpKeyBytes[this.#suite];
    const fill = Buffer.of(this.#generation & 0xff, this.#generation >> 8, 0xa5);
    const key: SrtpKey = { keySalt: Buffer.alloc(bytes, fill).toString('base64') };
    if (this.#hasMki) key.mki = { value: this.#generation.toString(16).padStart(4, '0'), bytes: 2 };
    return { send: { suite: this.#suite, key }, receive: { suite: this.#suite, keys: [key] } };
  }

  #rekey(): void {
    this.#generation++;
    this.#phone.update(this.#agreed());
    this.#leg.update(this.#agreed());
  }

  /** Empty where the phone must not send it. */
  #seal(isRtcp: boolean): Uint8Array {
    const sequence = this.#input.uint16();
    const payload = this.#input.take(this.#input.uint8() % maxPayloadBytes);
    const packet = new Uint8Array(packetBytes);
    packet.set(isRtcp ? [0x80, 200, 0, 6] : [0x80, 0, sequence >> 8, sequence & 0xff]);
    // A new SSRC for each generation, as `update` asks for.
    packet.set([this.#generation >> 8, this.#generation & 0xff], isRtcp ? 6 : 10);
    packet.set(payload, 12);
    const plain = 12 + payload.length;
    const bytes = isRtcp ? this.#phone.protectRtcp(packet, plain) : this.#phone.protectRtp(packet, plain);
    assert.ok(bytes === -1 || (bytes > plain && bytes <= plain + maxSrtpOverheadBytes));
    if (bytes < 0) return new Uint8Array(0);
    const sealed = packet.slice(0, bytes);
    this.#sealed.add(Buffer.from(sealed).toString('latin1'));
    this.#last = sealed;
    return sealed;
  }

  #deliver(sealed: Uint8Array, isChanged: boolean): void {
    let packet = sealed.slice();
    if (isChanged && packet.length > 0) {
      const at = this.#input.uint8() % packet.length;
      packet[at]! ^= this.#input.uint8();
      packet = packet.slice(0, packet.length - (this.#input.uint8() & 3));
    }
    this.#receive(packet);
  }

  #receive(packet: Uint8Array): void {
    const isRtcp = packet[1] !== undefined && packet[1] >= 192 && packet[1] <= 223;
    const received = packet.slice();
    const bytes = isRtcp
      ? this.#leg.unprotectRtcp(received, this.#nowUs)
      : this.#leg.unprotectRtp(received, this.#nowUs);
    const name = Buffer.from(packet).toString('latin1');
    if (bytes < 0) {
      assert.equal(bytes, -1);
      assert.deepEqual(received, packet, 'a packet that was refused is as it was');
      return;
    }
    assert.ok(bytes <= packet.length);
    assert.ok(this.#sealed.has(name), 'a packet that nobody sealed was opened');
    assert.ok(!this.#opened.has(name), 'a packet was opened twice');
    this.#opened.add(name);
  }
}

function seed(choice: number): Uint8Array {
  const steps: number[] = [choice];
  for (let i = 0; i < 6; i++) steps.push(i % 5, 0xff, 0xfc + i, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0, 5);
  steps.push(7, 0, 0, 9, 3, 1, 2, 3, 5, 6, 20, ...new Array(20).fill(0x80));
  return Uint8Array.from(steps);
}
