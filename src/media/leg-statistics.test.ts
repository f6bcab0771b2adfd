import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { LegReport, NegotiatedSrtp } from './control.ts';
import { MediaBench } from './test-bench.ts';
import { type TestPhone, turnEventLoop } from './test-phone.ts';
import { speech } from './test-stream.ts';

describe('What is reported of a leg', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  async function talk(phone: TestPhone, packets: number, payloadType = 0): Promise<void> {
    for (let n = 0; n < packets; n++) {
      await phone.send({ payload: speech(1, n), payloadType });
      await bench.slots(1);
    }
  }

  const reports = () => bench.events.filter((event) => event.event === 'leg.report');

  it('is said of each stay when it ends, and of the whole leg when it closes', async () => {
    const phone = await bench.call('a');
    await talk(phone, 5);
    await bench.join('a', 'first');
    await talk(phone, 10);
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await bench.join('a', 'second', { trackId: 'again' });
    await talk(phone, 10);
    phone.sequenceNumber = (phone.sequenceNumber + 2) & 0xffff;
    phone.timestamp += 320;
    await talk(phone, 10, 8);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    const said = reports().map(({ stay, report }) => [
      stay?.roomId,
      report.received.packets,
      report.received.lost,
    ]);
    assert.deepEqual(said, [
      ['first', 10, 0],
      ['second', 20, 2],
      [undefined, 35, 2],
    ]);
    const codecsOf = ({ received }: LegReport) =>
      received.codecs.map(({ codec, atMs }) => `${codec} ${atMs}`);
    assert.deepEqual(
      reports().map(({ report }) => codecsOf(report)),
      [['PCMU 0'], ['PCMU 0', 'PCMA 200'], ['PCMU 0', 'PCMA 500']],
    );
    assert.equal(reports()[1]!.report.durationMs, 400);
    assert.equal(reports()[1]!.report.received.concealedMs, 40);
    assert.ok(reports()[2]!.report.sent.packets >= 30);
    assert.equal(reports()[1]!.stay?.trackId, 'again');
  });

  it('counts what did not open under the keys agreed, of each stay and of the whole leg', async () => {
    const keySalt = Buffer.alloc(30, 3).toString('base64');
    const suite = 'AES_CM_128_HMAC_SHA1_80';
    const srtp: NegotiatedSrtp = {
      send: { suite, key: { keySalt } },
      receive: { suite, keys: [{ keySalt }] },
    };
    const phone = await bench.call('a', { srtp });
    await talk(phone, 2);
    await bench.join('a', 'room');
    await talk(phone, 3);
    await phone.sendRaw(Uint8Array.of(1, 2, 3));
    await turnEventLoop();
    await bench.slots(1);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    const [ofStay, ofLeg] = reports().map(({ report }) => report.received);
    assert.deepEqual(ofStay!.srtp, { authenticationFailures: 3, replays: 0, malformed: 1 });
    assert.deepEqual(ofLeg!.srtp, { authenticationFailures: 5, replays: 0, malformed: 1 });
    assert.equal(ofLeg!.packets, 0);
  });

  it('counts sources that were refused, and another source under the same address', async () => {
    const phone = await bench.call('a');
    await talk(phone, 3);
    const session = bench.executor.legs.get('a');
    const data = new Uint8Array(172);
    data[0] = 0x80;
    session.receive({
      data,
      arrivalUs: bench.clock.monotonicUs(),
      sourceAddress: '192.0.2.1',
      sourcePort: 9,
    });
    const other = Object.assign(phone, { ssrc: 77 });
    await talk(other, 3);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    const { received } = reports()[0]!.report;
    assert.deepEqual([received.refused, received.ssrcChanges, received.packets], [1, 1, 6]);
  });
});
