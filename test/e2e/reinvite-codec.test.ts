import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { inFlightUs } from '../../src/media/receive-gate.ts';
import { bodyText } from '../../src/sip/message.ts';
import { type LineCodecName, ptimeMs } from '../../src/testkit/line-codec.ts';
import {
  type MediaDirection,
  type PhoneCrypto,
  readPhoneSdp,
  writePhoneSdp,
} from '../../src/testkit/phone-sdp.ts';
import { PhoneSrtp, type PhoneSrtpSuite, phoneSrtpKeyBytes } from '../../src/testkit/phone-srtp.ts';
import { findPayloadRun } from '../../src/testkit/sample-run.ts';
import { samplesOf } from './channel-audio.ts';
import { HandPhone, handPhoneName } from './hand-phone.ts';
import { RunningStream, type StreamForm } from './running-stream.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

/** Between two changes. */
const packetsBetween = 15;
/** Nothing of the time before can be on its way any more. */
const longHoldPackets = inFlightUs / 1000 / ptimeMs + 10;
/** Sent by the former agreement behind the answer: 160 ms that the answer is on its way. */
const packetsInFlight = 8;

interface Change {
  codec?: LineCodecName;
  /** `none`: plain RTP again. */
  suite?: PhoneSrtpSuite | 'none';
  ssrc?: number;
  movesPort?: boolean;
  direction?: MediaDirection;
  /** The address of zeros. */
  unspecified?: boolean;
  method?: 'INVITE' | 'UPDATE';
  /** So many packets' times after the change before. */
  after?: number;
  /** The offer is left to the server, the answer comes with the ACK. */
  isLate?: boolean;
  /** Answered so; `sendrecv` where it is not set. */
  answered?: MediaDirection;
}

const cases: { name: string; changes: Change[] }[] = [
  {
    name: 'codec change',
    changes: [{ codec: 'PCMA' }, { codec: 'PCMU', method: 'UPDATE' }, { codec: 'PCMA' }],
  },
  {
    name: 'RTP to SRTP, other keys, another suite, RTP again',
    changes: [
      { suite: 'AES_CM_128_HMAC_SHA1_80' },
      { suite: 'AES_CM_128_HMAC_SHA1_80' },
      { suite: 'AEAD_AES_128_GCM' },
      { suite: 'none' },
      { suite: 'AES_CM_128_HMAC_SHA1_32' },
    ],
  },
  { name: 'SSRC change', changes: [{ ssrc: 77 }, { ssrc: 78, method: 'UPDATE' }] },
  { name: 'port change', changes: [{ movesPort: true }, { movesPort: true, method: 'UPDATE' }] },
  {
    name: 'hold and resume',
    changes: [
      { direction: 'inactive', answered: 'inactive' },
      { direction: 'sendrecv' },
      { direction: 'recvonly', answered: 'sendonly' },
      { direction: 'sendrecv', method: 'UPDATE' },
      { direction: 'inactive', answered: 'inactive', unspecified: true },
      { direction: 'sendrecv', unspecified: false },
      { direction: 'inactive', answered: 'inactive' },
      { direction: 'sendrecv', isLate: true, after: longHoldPackets },
    ],
  },
  {
    name: 'SSRC, codec, port and SRTP at once',
    changes: [
      { ssrc: 79, codec: 'PCMA', movesPort: true, suite: 'AES_CM_128_HMAC_SHA1_80' },
      { ssrc: 80, codec: 'PCMU', movesPort: true, suite: 'none' },
    ],
  },
];

for (const [index, { name, changes }] of cases.entries())
  test(`T5: ${name} in mid-speech by re-INVITE and UPDATE: every packet is recorded once`, async (t) => {
    const room = `t5 ${name}`;
    scene.audience.routineFor(handPhoneName, [scene.join(room, { do_record: true })]);
    const speaker = await Speaker.open(index + 1);
    t.after(() => speaker.close());
    await speaker.change({});
    for (const change of changes) {
      await speaker.stream.passed(change.after ?? packetsBetween);
      await speaker.change(change);
    }
    await speaker.stream.passed(packetsBetween);
    await speaker.hangUp();

    const { channels } = await scene.endedConversation({ conference_name: room });
    assert.equal(channels.length, 1);
    assertEachOnce(await samplesOf(channels[0]!.audio), speaker.stream.sent);
  });

/** A phone that goes on speaking while its session changes, and notices an answer some packets late. */
class Speaker {
  readonly stream: RunningStream;
  readonly #phone: HandPhone;
  #version = 0;
  #direction: MediaDirection = 'sendrecv';
  #unspecified = false;
  #crypto: PhoneCrypto | undefined;

  private constructor(phone: HandPhone, stream: RunningStream) {
    this.#phone = phone;
    this.stream = stream;
  }

  static async open(seed: number): Promise<Speaker> {
    return new Speaker(await HandPhone.open(scene), await RunningStream.open(seed));
  }

  async change(change: Change): Promise<void> {
    const { form } = this.stream;
    const { suite, movesPort, direction, unspecified, answered, isLate } = change;
    const { codec = form.codec, ssrc = form.ssrc, method = 'INVITE' } = change;
    const socket = movesPort ? await this.stream.anotherPort() : form.socket;
    if (suite) this.#crypto = suite === 'none' ? undefined : { tag: 1, suite, key: newKey(suite) };
    this.#direction = direction ?? this.#direction;
    this.#unspecified = unspecified ?? this.#unspecified;
    const next: StreamForm = { codec, ssrc, socket, srtp: form.srtp, speaks: true };
    const description = this.#describe(next);
    const response = await this.#phone.request(method, { body: isLate ? '' : description });
    assert.equal(response.status, 200);
    const answer = readPhoneSdp(bodyText(response), this.#crypto?.suite);
    assert.deepEqual(answer.codecs, [codec]);
    assert.equal(answer.direction, answered ?? 'sendrecv');
    if (suite) next.srtp = this.#crypto && new PhoneSrtp(this.#crypto.suite, this.#crypto.key, keyOf(answer));
    next.speaks = this.#direction === 'sendrecv';
    // A phone that resumes speaks as soon as it has the answer, any other as it did until it acts on it.
    if (form.speaks && this.stream.sent.length > 0) await this.stream.passed(packetsInFlight);
    socket.remote = answer;
    this.stream.form = next;
    if (!form.speaks) await this.stream.passed(packetsInFlight);
    if (method === 'INVITE') this.#phone.acknowledge(isLate ? description : '');
  }

  async hangUp(): Promise<void> {
    await this.stream.stop();
    assert.equal((await this.#phone.hangUp()).status, 200);
  }

  async close(): Promise<void> {
    await this.stream.stop();
    this.#phone.peer.close();
  }

  #describe({ codec, socket }: StreamForm): string {
    const profile = this.#crypto ? 'RTP/SAVP' : 'RTP/AVP';
    const description = writePhoneSdp(
      {
        address: '127.0.0.1',
        port: socket.port,
        codecs: [codec],
        telephoneEventPayloadType: undefined,
        direction: this.#direction,
        profile,
        ...(this.#crypto && { crypto: this.#crypto }),
      },
      1,
      ++this.#version,
    );
    return this.#unspecified ? description.replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0') : description;
  }
}

function newKey(suite: PhoneSrtpSuite): string {
  return randomBytes(phoneSrtpKeyBytes[suite]).toString('base64');
}

function keyOf({ crypto }: { crypto?: PhoneCrypto }): string {
  assert.ok(crypto, 'the answer has keys');
  return crypto.key;
}

/** Every packet stands in the file bit for bit, behind the one before, and nothing else does. */
function assertEachOnce(samples: Int16Array, packets: readonly Int16Array[]): void {
  const rest = samples.slice();
  const missing: number[] = [];
  let end = 0;
  for (const [index, packet] of packets.entries()) {
    const start = findPayloadRun(samples.subarray(end), packet);
    if (start < 0) {
      missing.push(index);
      continue;
    }
    end += start;
    rest.fill(0, end, end + packet.length);
    end += packet.length;
  }
  assert.deepEqual(missing, [], `packets of ${packets.length} that are not in the recording`);
  const other = rest.findIndex((sample) => sample !== 0);
  assert.equal(other, -1, `something else is in the recording at ${other}`);
}
