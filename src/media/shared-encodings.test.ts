import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodingKey, SharedEncodings } from './shared-encodings.ts';
import { formats } from './test-voice.ts';

describe('SharedEncodings', () => {
  it('encodes once a slot for each key, and a stream of its own', () => {
    const shared = new SharedEncodings();
    const loud = new Int16Array(320).fill(5000);
    const encoding = shared.of('g722', formats.g722);
    assert.equal(shared.of('g722', formats.g722), encoding);
    assert.equal(shared.goesOn(encoding), false, 'nobody was sent anything of it');
    const payloads: string[] = [];
    for (let slot = 0; slot < 3; slot++) {
      shared.begin();
      assert.equal(shared.goesOn(encoding), slot > 0);
      assert.equal(shared.hasSlot(encoding), false);
      const first = shared.encode(encoding, loud);
      assert.equal(shared.encode(encoding, new Int16Array(320)), first, 'what was encoded already');
      assert.equal(encoding.peak, 5000);
      assert.equal(first.length, 160);
      assert.equal(shared.hasSlot(encoding), true);
      payloads.push(Buffer.from(first).toString('hex'));
    }
    assert.equal(new Set(payloads).size, 3, 'the codec remembers');
    shared.begin();
    shared.begin();
    assert.equal(shared.goesOn(encoding), false, 'a slot is missing');
  });

  it('tells formats apart by what makes payloads differ', () => {
    const { pcmu, pcma, opus } = formats;
    assert.equal(encodingKey(pcmu), encodingKey({ ...pcmu, payloadType: 96 }));
    assert.notEqual(encodingKey(pcmu), encodingKey(pcma));
    assert.notEqual(encodingKey(opus), encodingKey({ ...opus, opus: { useDtx: true } }));
    assert.equal(
      encodingKey({ ...opus, opus: { useInbandFec: true } }),
      encodingKey({ ...opus, payloadType: 107, opus: { useInbandFec: true } }),
    );
  });
});
