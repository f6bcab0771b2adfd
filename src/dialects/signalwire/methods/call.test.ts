// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../../../errors.ts';
import { runSwml, TestHost } from '../test-host.ts';

describe('answer', () => {
  it("limits the call to the vendor's four hours unless it says otherwise", async () => {
    const { host, vars } = await runSwml([{ answer: {} }, { answer: { max_duration: 60 } }]);
    assert.deepEqual(
      host.done('answer').map(({ maxDurationMs }) => maxDurationMs),
      [14_400_000, 60_000],
    );
    assert.equal(vars.answer_result, 'success');
  });
});

describe('hangup', () => {
  it('ends the script, with or without a reason', async () => {
    for (const [step, reason] of [
      [{ hangup: {} }, undefined],
      [{ hangup: null }, undefined],
      ['hangup', undefined],
      [{ hangup: { reason: 'busy' } }, 'busy'],
      [{ hangup: 'decline' }, 'decline'],
    ] as const) {
      const { host, end } = await runSwml([step, { play: 'say:x' }]);
      assert.deepEqual(host.verbs, [{ verb: 'hang-up', reason }]);
      assert.equal(end.reason, 'hung-up');
    }
  });

  it('has hung up, though the end of the call is told first', async () => {
    const host = new TestHost();
    host.answers['hang-up'] = () => {
      host.hangUp.abort(new CallreelError('CONFLICT', 'the call ended'));
      return new Promise(() => {});
    };
    const { end } = await runSwml(['hangup', { play: 'say:x' }], { host });
    assert.deepEqual(end, { reason: 'hung-up' });
  });
});

describe('send_digits', () => {
  it('sends keys and pauses', async () => {
    const { host, vars } = await runSwml(
      [{ send_digits: { digits: '012*#AWwd' } }, { send_digits: '${d}' }],
      { vars: { d: 42 } },
    );
    assert.deepEqual(
      host.done('send-digits').map(({ digits }) => digits),
      ['012*#AWwD', '42'],
    );
    assert.equal(vars.send_digits_result, 'success');
  });

  it('has failed where it could not, and the script goes on', async () => {
    const host = new TestHost();
    host.answers['send-digits'] = () => {
      throw new CallreelError('NO_COMMON_CODEC', 'no telephone-event');
    };
    const { vars } = await runSwml([{ send_digits: '1' }, { play: 'say:on' }], { host });
    assert.equal(vars.send_digits_result, 'failed');
    assert.deepEqual(host.heard, ['on']);
  });
});

describe('sleep', () => {
  it('takes milliseconds, alone or by name, and -1 for ever', async () => {
    const { host } = await runSwml(
      [{ sleep: 5000 }, { sleep: { duration: 20 } }, { sleep: '${ms}' }, { sleep: 0 }, { sleep: -1 }],
      { vars: { ms: '7' } },
    );
    assert.deepEqual(
      host.done('sleep').map(({ durationMs }) => durationMs),
      [5000, 20, 7, Number.POSITIVE_INFINITY],
    );
  });
});
