import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dbovToRms, rmsDbov } from '../audio/level.ts';
import type { CodecName } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import { createEncoder } from '../codec/encoders.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { Fft } from '../quality/fft.ts';
import { randomOf } from '../quality/test-random.ts';
import { testVoices } from '../quality/test-voices.ts';
import { rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const codecs: readonly CodecName[] = ['PCMU', 'PCMA', 'PCMU', 'PCMA'];
const slotSamples = 160;
const turnSlots = 400;
const turnSamples = turnSlots * slotSamples;
const slots = codecs.length * turnSlots;
/** So late a marker is looked for: two jitter buffers and a mix lie within. Nobody's is heard for as long at the end of a turn. */
const lags = 8000;
const markerSamples = turnSamples - lags;
/**
 * What the others say is so much softer than a marker that it hides nothing above -70 dB: sqrt(10^(-35 / 10) / 56,000),
 * four times that at the highest of all lags.
 */
const speechDbov = -45;
const markerDbov = -10;
const leastDownDb = 60;

interface Party {
  legId: string;
  codec: CodecName;
  marker: Float64Array;
  payloads: Uint8Array[];
  /** What they decode to. */
  decoded: Int16Array;
}

/** All of them speak all the time; in turns, one of them is heard with white noise that is its own. */
const parties = codecs.map(partyOf);

function partyOf(codec: CodecName, index: number): Party {
  const random = randomOf(100 + index);
  const peak = Math.sqrt(3) * dbovToRms(markerDbov);
  const marker = Float64Array.from({ length: markerSamples }, () => (2 * random() - 1) * peak);
  const speech = testVoices[index]!.prompts[0]!;
  const gain = 10 ** ((speechDbov - rmsDbov(speech)) / 20);
  const said = Int16Array.from({ length: slots * slotSamples }, (_, i) => gain * speech[i % speech.length]!);
  for (let i = 0; i < markerSamples; i++) said[index * turnSamples + i]! += marker[i]!;
  const encoder = createEncoder(codec, 8000);
  const decoder = createDecoder(codec, 8000, 8000);
  const decoded = new Int16Array(said.length);
  const payloads = Array.from({ length: slots }, (_, slot) => {
    const payload = new Uint8Array(slotSamples);
    encoder.encode(said.subarray(slot * slotSamples, (slot + 1) * slotSamples), payload);
    decoder.decode(payload, decoded.subarray(slot * slotSamples));
    return payload;
  });
  return { legId: `leg${index}`, codec, marker, payloads, decoded };
}

interface Network {
  /** Of the packets, one or two at a time. */
  lossShare: number;
  /** The later a packet is, the more of those behind it come first. */
  jitterMs: number;
  duplicateShare: number;
}

interface Recorded {
  channels: Int16Array[];
  lost: number;
}

/** A conference of them over a real socket each, on a clock that the test moves; its channels, out of the spool. */
async function recorded(network: Network): Promise<Recorded> {
  const bench = new RecordingBench();
  try {
    await bench.recordRoom('room', 'rec');
    const arrivals = new Arrivals(network);
    for (const party of parties) {
      const phone = await bench.call(party.legId);
      await bench.join(party.legId, 'room');
      arrivals.plan(party, phone);
    }
    for (let tick = 0; tick < slots * 4 + 40; tick++) {
      await arrivals.send(tick);
      bench.advanceUs(5000);
      if (tick % 12 === 11) bench.pump();
    }
    await bench.execute({ verb: 'recording.stop', recordingId: 'rec', reason: 'stopped' });
    bench.pump();
    const channels: Int16Array[] = [];
    for (const { legId } of parties) {
      const request = { kind: 'channel', trackId: `track-${legId}`, format: 'wav' } as const;
      channels.push(await bench.render('rec', 'room', request));
    }
    return { channels, lost: arrivals.lost };
  } finally {
    await bench.close();
  }
}

/** What comes when, in ticks of 5 ms. */
class Arrivals {
  lost = 0;
  readonly #network: Network;
  readonly #random = randomOf(7);
  readonly #sends = new Map<number, (() => Promise<void>)[]>();

  constructor(network: Network) {
    this.#network = network;
  }

  plan({ codec, payloads }: Party, phone: TestPhone): void {
    const { lossShare, jitterMs, duplicateShare } = this.#network;
    let isLost = false;
    for (const [slot, payload] of payloads.entries()) {
      // The first tells where the others lie. A third of the losses are followed by another.
      isLost = slot > 0 && this.#random() < (isLost ? 1 / 3 : (lossShare * 2) / 3);
      this.lost += Number(isLost);
      if (isLost) continue;
      const datagram = datagramOf(phone.ssrc, codec, slot, payload);
      const copies = this.#random() < duplicateShare ? 2 : 1;
      for (let copy = 0; copy < copies; copy++)
        this.#add(slot * 20 + (slot > 0 ? jitterMs * this.#random() : 0), () => phone.sendRaw(datagram));
    }
  }

  #add(atMs: number, send: () => Promise<void>): void {
    const tick = Math.floor(atMs / 5);
    this.#sends.set(tick, [...(this.#sends.get(tick) ?? []), send]);
  }

  async send(tick: number): Promise<void> {
    await Promise.all((this.#sends.get(tick) ?? []).map((send) => send()));
  }
}

function datagramOf(ssrc: number, codec: CodecName, slot: number, payload: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(rtpHeaderBytes + payload.length);
  const payloadType = codec === 'PCMU' ? 0 : 8;
  const timestamp = slot * slotSamples;
  writeRtpHeader(datagram, { marker: false, payloadType, sequenceNumber: slot, timestamp, ssrc });
  datagram.set(payload, rtpHeaderBytes);
  return datagram;
}

const fft = new Fft(65_536);

/** How far down a party's marker is in a channel, at the lag at which it is loudest (0 dB: as it was said). */
function downDb(channel: ArrayLike<number>, index: number): number {
  const { marker } = parties[index]!;
  const heard = new Float64Array(fft.length);
  const sought = new Float64Array(fft.length);
  const from = index * turnSamples;
  for (let i = 0; i < turnSamples; i++) heard[i] = channel[from + i] ?? 0;
  sought.set(marker);
  const gains = crossCorrelation(heard, sought);
  const energy = marker.reduce((sum, sample) => sum + sample * sample, 0);
  let most = 0;
  for (let lag = 0; lag < lags; lag++) most = Math.max(most, Math.abs(gains[lag]!) / energy);
  return -20 * Math.log10(most);
}

/** Sums of `heard[i + lag] * sought[i]`, for each lag. */
function crossCorrelation(heard: Float64Array, sought: Float64Array): Float64Array {
  const [heardImaginary, soughtImaginary] = [new Float64Array(fft.length), new Float64Array(fft.length)];
  fft.transform(heard, heardImaginary);
  fft.transform(sought, soughtImaginary);
  const real = new Float64Array(fft.length);
  const imaginary = new Float64Array(fft.length);
  for (let bin = 0; bin < fft.length; bin++) {
    const [a, b, c, d] = [heard[bin]!, heardImaginary[bin]!, sought[bin]!, soughtImaginary[bin]!];
    real[bin] = a * c + b * d;
    // Of the conjugate: forth is back then.
    imaginary[bin] = -(b * c - a * d);
  }
  fft.transform(real, imaginary);
  return real.map((sum) => sum / fft.length);
}

/** Every party's channel for every other party's marker. */
function assertIsolated(channels: readonly Int16Array[]): void {
  for (const [own, channel] of channels.entries()) {
    for (const other of parties.keys()) {
      const down = downDb(channel, other);
      if (other === own) assert.ok(Math.abs(down) < 1, `its own marker is ${down} dB down`);
      else assert.ok(down >= leastDownDb, `of ${other} in the channel of ${own}: ${down} dB down`);
    }
  }
}

test('without loss every channel is what its own party sent, to the bit, however it arrived', async () => {
  const { channels, lost } = await recorded({ lossShare: 0, jitterMs: 60, duplicateShare: 0.02 });
  assert.equal(lost, 0);
  for (const [index, { decoded }] of parties.entries()) {
    const channel = channels[index]!;
    assert.ok(channel.length >= decoded.length);
    const wrong = channel.findIndex((sample, i) => sample !== (decoded[i] ?? 0));
    assert.equal(wrong, -1, `channel ${index}: the first sample that differs`);
  }
});

test('with loss, jitter and reordering no channel holds a trace of anybody else', async () => {
  const { channels, lost } = await recorded({ lossShare: 0.05, jitterMs: 60, duplicateShare: 0.02 });
  const share = lost / (parties.length * slots);
  assert.ok(share > 0.04 && share < 0.06, `${share} is lost`);
  assertIsolated(channels);
  const concealed = channels[0]!
    .subarray(0, turnSamples)
    .filter((sample, i) => sample !== parties[0]!.decoded[i]);
  assert.ok(concealed.length > 0.02 * turnSamples, 'losses are concealed');
});

test('the search finds what is 50 dB down', async () => {
  for (const lag of [0, 1234, lags - 1]) {
    const channel = Float64Array.from(parties[0]!.decoded);
    const { marker } = parties[2]!;
    for (let i = 0; i < markerSamples; i++)
      channel[2 * turnSamples + lag + i]! += marker[i]! * 10 ** (-50 / 20);
    const down = downDb(channel, 2);
    assert.ok(Math.abs(down - 50) < 2, `${down} dB, ${lag} samples late`);
  }
});
