import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SrtpContext } from '../rtp/srtp-context.ts';
import { maxSrtpOverheadBytes } from '../rtp/srtp-limits.ts';
import { PhoneSrtcp } from './phone-srtcp.ts';

const own = Buffer.alloc(30, 1).toString('base64');
const peer = Buffer.alloc(30, 2).toString('base64');

for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const)
  test(`SRTCP of ${suite}: either side opens what the other sealed, and nothing else`, () => {
    const phone = new PhoneSrtcp(own, peer);
    const leg = new SrtpContext({
      send: { suite, key: { keySalt: peer } },
      receive: { suite, keys: [{ keySalt: own }] },
    });
    const report = Uint8Array.from({ length: 28 }, (_, i) => i);
    report.set([0x80, 200, 0, 6]);
    for (let round = 0; round < 3; round++) {
      const sealed = Uint8Array.from(phone.seal(report));
      assert.equal(leg.unprotectRtcp(sealed, 0), report.length);
      assert.deepEqual(sealed.subarray(0, report.length), report);
      const room = new Uint8Array(report.length + maxSrtpOverheadBytes);
      room.set(report);
      const datagram = room.slice(0, leg.protectRtcp(room, report.length));
      assert.deepEqual(Uint8Array.from(phone.open(datagram) ?? []), report);
      datagram[12]! ^= 1;
      assert.equal(phone.open(datagram), undefined);
    }
  });
