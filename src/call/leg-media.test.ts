import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LegReport } from '../media/control.ts';
import type { NegotiatedMedia } from '../sdp/negotiation.ts';
import { addAgreement, type LegMedia, oneWay } from './leg-media.ts';

const negotiated: NegotiatedMedia = {
  remote: { address: '192.0.2.1', port: 4000 },
  receive: [],
  send: { codec: 'PCMU', payloadType: 0, clockRateHz: 8000 },
  ptimeMs: 20,
  telephoneEvent: undefined,
  rtcp: { mux: false },
  direction: 'sendrecv',
  srtp: {
    send: { suite: 'AEAD_AES_128_GCM', key: { keySalt: 'secret' } },
    receive: { suite: 'AEAD_AES_128_GCM', keys: [{ keySalt: 'secret' }] },
  },
};

test('an agreement without its keys; the same once more is none', () => {
  const media: LegMedia = { agreed: [] };
  addAgreement(media, negotiated, 0);
  addAgreement(media, negotiated, 500);
  addAgreement(media, { ...negotiated, direction: 'sendonly' }, 1000);
  assert.deepEqual(media.agreed, [
    {
      atMs: 0,
      codec: 'PCMU',
      payloadType: 0,
      clockRateHz: 8000,
      ptimeMs: 20,
      direction: 'sendrecv',
      srtp: 'AEAD_AES_128_GCM',
      remote: { address: '192.0.2.1', port: 4000 },
    },
    { ...media.agreed[0], atMs: 1000, direction: 'sendonly' },
  ]);
  assert.ok(!JSON.stringify(media).includes('secret'));
});

test('of very many agreements the first and the latest are kept', () => {
  const media: LegMedia = { agreed: [] };
  for (let k = 0; k < 100; k++) addAgreement(media, { ...negotiated, ptimeMs: k }, k);
  assert.deepEqual(
    [
      media.agreed.length,
      media.agreed[0]?.atMs,
      media.agreed[15]?.atMs,
      media.agreed[16]?.atMs,
      media.agreed[31]?.atMs,
    ],
    [32, 0, 15, 84, 99],
  );
});

test('one way is one way', () => {
  const of = (received: number, sent: number) =>
    oneWay({
      agreed: [],
      report: { received: { packets: received }, sent: { packets: sent } } as LegReport,
    });
  assert.deepEqual([of(1, 1), of(0, 0), of(1, 0), of(0, 1)], [null, null, 'received', 'sent']);
  assert.equal(oneWay({ agreed: [] }), null);
});
