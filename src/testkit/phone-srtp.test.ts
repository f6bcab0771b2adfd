import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeRtpHeader } from '../rtp/packet.ts';
import { SrtpContext } from '../rtp/srtp-context.ts';
import { maxSrtpOverheadBytes } from '../rtp/srtp-limits.ts';
import { PhoneSrtp, type PhoneSrtpSuite, phoneSrtpKeyBytes } from './phone-srtp.ts';

const suites = Object.keys(phoneSrtpKeyBytes) as PhoneSrtpSuite[];

function packet(sequenceNumber: number): Uint8Array {
  const bytes = new Uint8Array(12 + 160).fill(sequenceNumber);
  writeRtpHeader(bytes, { marker: false, payloadType: 0, sequenceNumber, timestamp: 1, ssrc: 99 });
  return bytes;
}

for (const suite of suites)
  test(`${suite}: the phone and the server understand each other over a wrap, and nobody else`, () => {
    const keyOf = (fill: number) => Buffer.alloc(phoneSrtpKeyBytes[suite], fill).toString('base64');
    const phone = new PhoneSrtp(suite, keyOf(1), keyOf(2));
    const server = new SrtpContext({
      send: { suite, key: { keySalt: keyOf(2) } },
      receive: { suite, keys: [{ keySalt: keyOf(1) }] },
    });
    for (let number = 65_530; number < 65_545; number++) {
      const plain = packet(number);
      const sealed = Uint8Array.from(phone.seal(plain));
      assert.notDeepEqual(sealed.subarray(12, 172), plain.subarray(12));
      assert.equal(server.unprotectRtp(sealed, 0), plain.length);
      assert.deepEqual(sealed.subarray(0, plain.length), plain);

      const room = new Uint8Array(plain.length + maxSrtpOverheadBytes);
      room.set(plain);
      const answer = room.subarray(0, server.protectRtp(room, plain.length));
      assert.deepEqual(Uint8Array.from(phone.open(answer)!), plain);
      answer[20]! ^= 1;
      assert.equal(phone.open(answer), undefined);
    }
  });
