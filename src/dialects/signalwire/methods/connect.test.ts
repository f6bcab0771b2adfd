// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
// biome-ignore-all lint/suspicious/noThenProperty: conditions of SWML have it
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../../../errors.ts';
import { runSwml, TestHost } from '../test-host.ts';

async function connectOf(parameters: unknown, vars: Record<string, unknown> = {}) {
  const { host, end } = await runSwml([{ connect: parameters }], { vars });
  assert.equal(end.reason, 'finished', JSON.stringify(end));
  return host.done('connect')[0]!;
}

const phone = (number: string) => ({ target: { kind: 'phone', number } });

describe('connect', () => {
  it('calls one, with its defaults', async () => {
    const { connected, ...asked } = await connectOf({ to: '+15551231234' });
    assert.equal(typeof connected, 'function');
    assert.deepEqual(asked, {
      verb: 'connect',
      groups: [[phone('+15551231234')]],
      timeoutMs: 60_000,
      maxDurationMs: 14_400_000,
      answerOnBridge: false,
      join: { policy: 'follow', eventCallback: undefined },
    });
  });

  it('calls numbers, SIP URIs and who is registered', async () => {
    const targets = ['sip:alice@example.com;transport=tcp', 'sips:a@b.example', '/private/alice', '${to}'];
    const found = [];
    for (const to of targets)
      found.push((await connectOf({ to }, { to: 15551112222 })).groups[0]![0]!.target);
    assert.deepEqual(found, [
      { kind: 'phone', number: 'sip:alice@example.com;transport=tcp' },
      { kind: 'phone', number: 'sips:a@b.example' },
      { kind: 'client', name: 'alice' },
      { kind: 'phone', number: '15551112222' },
    ]);
  });

  it('calls in series, at once, and groups in series', async () => {
    const [a, b, c] = [
      { to: '+15550000001', from: '+15559', timeout: 5 },
      { to: 'sip:b@x' },
      { to: 'sip:c@x', headers: [{ name: 'X-A', value: '1' }] },
    ];
    const called = [
      { ...phone('+15550000001'), from: '+15559', timeoutMs: 5000 },
      phone('sip:b@x'),
      { ...phone('sip:c@x'), headers: [{ name: 'X-A', value: '1' }] },
    ];
    const plain = async (parameters: object) =>
      JSON.parse(JSON.stringify((await connectOf(parameters)).groups));
    assert.deepEqual(
      await plain({ serial: [a, b, c] }),
      called.map((each) => [each]),
    );
    assert.deepEqual(await plain({ parallel: [a, b, c] }), [called]);
    assert.deepEqual(await plain({ serial_parallel: [[a, b], [c]] }), [called.slice(0, 2), called.slice(2)]);
  });

  it('a destination that no database keeps is refused', async () => {
    for (const to of ['sip:a\ud800@b.example', 'sip:a\0@b.example'])
      assert.equal(
        (await runSwml([{ connect: to }])).end.error?.code,
        'relay_script_method_parameter_invalid_value',
      );
  });

  it('takes what holds for all', async () => {
    const { from, headers, ringback, timeoutMs, maxDurationMs, answerOnBridge } = await connectOf(
      {
        ...{
          to: 'sip:a@b',
          from: 'sip:me@x',
          headers: [{ name: 'X-Case', value: '${call.headers[0].value}' }],
        },
        ...{
          timeout: 20,
          max_duration: 600,
          answer_on_bridge: '${yes}',
          ringback: ['ring:us', 'https://a.example/m.mp3'],
        },
      },
      { yes: true },
    );
    assert.deepEqual([from, timeoutMs, maxDurationMs, answerOnBridge], ['sip:me@x', 20_000, 600_000, true]);
    assert.equal(headers?.[0]?.value, '17');
    assert.deepEqual(
      ringback?.map(({ kind }) => kind),
      ['ring', 'url'],
    );
    assert.equal((await connectOf({ to: 'sip:a@b', ringback: { url: 'say:wait' } })).ringback?.length, 1);
  });

  it('tells how it went, and goes on', async () => {
    const { vars, host } = await runSwml([
      { connect: { to: 'sip:a@b', status_url: 'https://app.example/s' } },
      { play: 'say:bye' },
    ]);
    assert.deepEqual(vars, {
      connect_result: 'connected',
      connect_failed_reason: 'none',
      return_value: 'connected',
      play_result: 'success',
    });
    const peer = {
      ...{ call_id: 'leg-2', node_id: 'node-1' },
      device: { type: 'sip', params: { from_number: 'a', to_number: 'b' } },
    };
    assert.deepEqual(
      JSON.parse(JSON.stringify(host.statuses)),
      [['connecting'], ['connected', { peer }], ['disconnected', { peer }]].map(([connect_state, more]) => ({
        ...{ url: 'https://app.example/s', type: 'calling.call.connect' },
        params: { segment_id: 'segment-1', connect_state, ...(more as object) },
      })),
    );
    assert.deepEqual(host.events, []);
  });

  it('tells a failure to whoever is told of the call, too', async () => {
    const host = new TestHost();
    host.answers.connect = () => ({ outcome: 'failed', reason: 'busy' });
    await runSwml([{ connect: 'sip:a@b' }], { host });
    assert.deepEqual(JSON.parse(JSON.stringify(host.events)), [
      {
        name: 'calling.call.connect',
        params: { segment_id: 'segment-1', connect_state: 'failed', failed_reason: 'busy' },
      },
    ]);
  });

  it('a call that may not be placed is in script_error and a warning, one that nobody took is not', async () => {
    for (const [reason, code] of [
      ['outbound-forbidden', 'relay_script_method_execute_failed'],
      ['no-trunk', 'relay_script_method_execute_failed'],
      ['number-invalid', 'relay_script_method_execute_failed'],
      ['busy', undefined],
    ] as const) {
      const host = new TestHost();
      host.answers.connect = () => ({ outcome: 'failed', reason });
      const { vars, end } = await runSwml([{ connect: 'sip:a@b' }], { host });
      assert.deepEqual([vars.script_error, vars.connect_result, end.reason], [code, 'failed', 'finished']);
      assert.deepEqual(host.warnings, code === undefined ? [] : [code]);
    }
  });

  it("names the vendor's reasons", async () => {
    const reasons: Record<string, unknown> = {};
    for (const reason of ['busy', 'no-answer', 'declined', 'cancelled', 'not-found', 'outbound-forbidden']) {
      const host = new TestHost();
      host.answers.connect = () => ({ outcome: 'failed', reason });
      reasons[reason] = (
        await runSwml([{ connect: { to: 'sip:a@b' } }], { host })
      ).vars.connect_failed_reason;
    }
    assert.deepEqual(reasons, {
      ...{ busy: 'busy', 'no-answer': 'noAnswer', declined: 'decline', cancelled: 'cancel' },
      ...{ 'not-found': 'notFound', 'outbound-forbidden': 'error' },
    });
  });

  it('runs its result as a switch on return_value, or as conditions', async () => {
    const host = new TestHost();
    host.answers.connect = () => {
      throw new CallreelError('DIAL_FAILED', 'busy');
    };
    await runSwml(
      [
        {
          connect: {
            to: 'sip:a@b',
            result: { case: { connected: [{ play: 'say:no' }], failed: [{ play: 'say:failed' }] } },
          },
        },
        {
          connect: {
            to: 'sip:a@b',
            result: [{ when: "connect_result == 'failed'", then: [{ play: 'say:too' }] }],
          },
        },
      ],
      { host },
    );
    assert.deepEqual(host.heard, ['failed', 'too']);
  });
});
