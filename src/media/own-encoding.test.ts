import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decoderFor, maxPayloadBytes } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';
import { encodingCount } from './encoding-count.ts';
import { OwnEncoding } from './own-encoding.ts';
import { SharedEncoding } from './shared-encodings.ts';
import { formats, powerOf, speechOf } from './test-voice.ts';

const { pcmu, g722, opus } = formats;
const opusFormats: NegotiatedCodec[] = [
  opus,
  { ...opus, opus: { useInbandFec: true } },
  { ...opus, opus: { maxPlaybackRateHz: 16_000 } },
];
/** By when whoever hears what others hear shares it, at the latest, where it is Opus. */
const latestSlots = 14 * 50 + 3;

/** Two listeners: what is shared from the first slot on, and one that has another mix before `alikeFrom`. */
class Listeners {
  readonly own: OwnEncoding;
  readonly shared: SharedEncoding;
  /** What the second one was sent. */
  readonly sent: Uint8Array[] = [];
  /** And the first. */
  readonly sharedSent: Uint8Array[] = [];
  sharesFrom: number | undefined;
  readonly #out = new Uint8Array(maxPayloadBytes);

  constructor(format: NegotiatedCodec) {
    this.own = new OwnEncoding(format);
    this.shared = new SharedEncoding(format);
  }

  /** @param other what the second hears, where that is something else */
  slot(samples: Int16Array, other?: Int16Array): void {
    const { own, shared, sent } = this;
    if (other) this.#encodeOwn(other);
    shared.encode(samples, this.sharedSent.length);
    this.sharedSent.push(shared.payload.slice());
    if (other) return;
    if (own.follows(shared) || own.mayFollow(shared)) {
      this.sharesFrom ??= sent.length;
      own.follow(shared);
      sent.push(shared.payload.slice());
    } else this.#encodeOwn(samples);
  }

  #encodeOwn(samples: Int16Array): void {
    const bytes = this.own.encode(samples, this.#out);
    this.sent.push(this.#out.slice(0, bytes));
  }
}

function slotsOf(samples: Int16Array, rateHz: number): Int16Array[] {
  const slot = rateHz / 50;
  return Array.from({ length: Math.floor(samples.length / slot) }, (_, n) =>
    samples.subarray(n * slot, (n + 1) * slot),
  );
}

function decoded(payloads: Uint8Array[], format: NegotiatedCodec): Int16Array[] {
  const decoder = decoderFor(format);
  const out = new Int16Array(maxPayloadBytes);
  return payloads.map((payload) => out.slice(0, decoder.decode(payload, out)));
}

function decibels(power: number): number {
  return 10 * Math.log10(power + 1e-9);
}

/** What one hears and the other does not, in each slot, against what is heard on the whole. */
function differencesDb(heard: Int16Array[], other: Int16Array[]): number[] {
  const power = heard.reduce((sum, slot) => sum + powerOf(slot), 0) / heard.length;
  return heard.map((slot, n) => decibels(powerOf(slot.map((sample, i) => sample - other[n]![i]!)) / power));
}

describe('OwnEncoding', () => {
  for (const format of [g722, ...opusFormats])
    it(`goes on behind a shared encoding as that itself would: ${JSON.stringify(format)}`, () => {
      const { own, shared, sent, sharedSent } = new Listeners(format);
      const slots = slotsOf(speechOf('english', own.rateHz), own.rateHz);
      const out = new Uint8Array(maxPayloadBytes);
      assert.ok(own.isFresh);
      for (const [n, samples] of slots.slice(0, 120).entries()) {
        if (n < 80) own.follow(shared);
        else if (n === 80) own.leave();
        if (n >= 80) sent.push(out.slice(0, own.encode(samples, out)));
        shared.encode(samples, n);
        sharedSent.push(shared.payload.slice());
      }
      assert.ok(!own.isFresh);
      assert.deepEqual(sent, sharedSent.slice(80));
    });

  it('comes to G.722 once both encoders say the same, which is not to be told from what it was sent before', () => {
    for (const joinsAt of [40, 95, 150, 210]) {
      const listeners = new Listeners(g722);
      const slots = slotsOf(speechOf('english', listeners.own.rateHz), listeners.own.rateHz);
      const others = slotsOf(speechOf('italian', listeners.own.rateHz), listeners.own.rateHz);
      for (let n = 0; n < joinsAt + 600; n++)
        listeners.slot(slots[n % slots.length]!, n < joinsAt ? others[n] : undefined);
      const { sent, sharedSent, sharesFrom } = listeners;
      assert.ok(sharesFrom! < joinsAt + 350, `shares from ${sharesFrom! - joinsAt} on`);
      assert.deepEqual(sent.slice(sharesFrom! - 10), sharedSent.slice(sharesFrom! - 10));
      const differences = differencesDb(decoded(sharedSent, g722), decoded(sent, g722));
      const worst = Math.max(...differences.slice(sharesFrom!));
      assert.ok(worst < -45, `${worst} dB behind the change`);
    }
  });

  for (const format of opusFormats)
    it(`comes to Opus in a quiet slot: ${JSON.stringify(format.opus ?? {})}`, () => {
      for (const joinsAt of [40, 95, 150, 210]) {
        const listeners = new Listeners(format);
        const { rateHz } = listeners.own;
        const slots = slotsOf(speechOf('english', rateHz), rateHz);
        const others = slotsOf(speechOf('italian', rateHz), rateHz);
        for (let n = 0; n < joinsAt + 300; n++)
          listeners.slot(slots[n % slots.length]!, n < joinsAt ? others[n] : undefined);
        const { sent, sharedSent, sharesFrom } = listeners;
        assert.ok(sharesFrom! >= joinsAt + 25 && sharesFrom! < joinsAt + 250, `${sharesFrom! - joinsAt}`);
        const differences = differencesDb(decoded(sharedSent, format), decoded(sent, format));
        const before = Math.max(...differences.slice(joinsAt + 10, sharesFrom));
        const behind = Math.max(...differences.slice(sharesFrom!, sharesFrom! + 15));
        assert.ok(behind < -30, `${behind} dB behind the change`);
        assert.ok(behind < before - 10, `two encoders differ more: ${before} dB`);
      }
    });

  it('comes to Opus in the end where no slot is quiet', () => {
    const listeners = new Listeners(opus);
    const noise = Int16Array.from({ length: 960 }, (_, i) => 8000 * Math.sin(i * i));
    listeners.slot(noise, noise);
    for (let n = 0; n <= latestSlots; n++) listeners.slot(noise);
    assert.ok(listeners.sharesFrom! > 500 && listeners.sharesFrom! <= latestSlots);
  });

  it('begins to wait anew where it had another slot, or none', () => {
    for (const interrupt of ['another', 'none']) {
      const listeners = new Listeners(opus);
      const silence = new Int16Array(960);
      const loud = silence.map((_, i) => 5000 * Math.sin(i / 9));
      listeners.slot(silence, loud);
      for (let n = 0; n < 20; n++) listeners.slot(silence);
      if (interrupt === 'another') listeners.slot(silence, loud);
      else listeners.own.leave();
      for (let n = 0; n < 25; n++) listeners.slot(silence);
      assert.equal(listeners.sharesFrom, undefined);
      listeners.slot(silence);
      assert.ok(listeners.sharesFrom);
    }
  });

  it('counts what it encodes by a codec with a memory', () => {
    const before = encodingCount.slots;
    const out = new Uint8Array(maxPayloadBytes);
    new OwnEncoding(pcmu).encode(new Int16Array(160), out);
    assert.equal(encodingCount.slots, before);
    new OwnEncoding(g722).encode(new Int16Array(320), out);
    assert.equal(encodingCount.slots, before + 1);
  });
});
