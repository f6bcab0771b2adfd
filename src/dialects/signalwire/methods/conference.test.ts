// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../../../errors.ts';
import { runSwml, TestHost } from '../test-host.ts';

async function joinOf(parameters: unknown, host = new TestHost()) {
  const { end } = await runSwml([{ join_conference: parameters }], {
    host,
    vars: { record: 'record-from-start', cb: 'https://app.example/rec' },
  });
  assert.equal(end.reason, 'finished', JSON.stringify(end));
  return host.done('join-conference').at(-1)!;
}

describe('join_conference', () => {
  it('takes a name alone, with its defaults', async () => {
    assert.deepEqual(await joinOf('team'), {
      verb: 'join-conference',
      name: 'team',
      options: {
        ...{ policy: 'follow', leaveKey: undefined, eventCallback: undefined, beep: 'both' },
        ...{ startOnEnter: true, endOnExit: false, maxParticipants: 100_000, muted: false },
      },
    });
  });

  it('beeps when it is told to', async () => {
    const beeps = [];
    for (const beep of ['true', 'false', 'onEnter', 'onExit', true, false])
      beeps.push((await joinOf({ name: 'a', beep })).options.beep);
    assert.deepEqual(beeps, ['both', undefined, 'enter', 'exit', 'both', undefined]);
  });

  it('records as its parameters and variables say; silence is trimmed unless it is not to be (X21)', async () => {
    const { options } = await joinOf({
      ...{
        name: 'a',
        record: '${record}',
        recording_status_callback: '${cb}',
        recording_status_callback_method: 'GET',
      },
      ...{
        recording_status_callback_event: 'in-progress completed',
        recording_status_callback_event_type: 'relay',
      },
    });
    assert.equal(options.policy, 'record');
    assert.deepEqual(JSON.parse(JSON.stringify(options.recording)), {
      statusUrl: 'https://app.example/rec',
      options: { trim: true },
      format: 'wav',
      dialect: 'signalwire-get',
      dialectData: {
        method: 'join_conference',
        status_events: ['in-progress', 'completed'],
      },
    });
    const kept = await joinOf({ name: 'a', record: 'record-from-start', trim: 'do-not-trim' });
    assert.equal(kept.options.recording?.options?.trim, false);
  });

  it('tells its status_callback what it asks for, as it asks for it; the end comes from the directory', async () => {
    const host = new TestHost();
    const url = 'https://app.example/s';
    const joined = async (more: object) =>
      (await joinOf({ name: 'a', status_callback: url, ...more }, host)).options;
    const callbacks = [];
    for (const more of [
      {},
      { status_callback_event: 'join leave' },
      { status_callback_event: 'end start', status_callback_method: 'GET' },
      { status_callback_event_type: 'laml', muted: true },
    ])
      callbacks.push((await joined(more)).eventCallback);
    assert.deepEqual(callbacks, [
      `signalwire ${url}`,
      undefined,
      `signalwire-get ${url}`,
      `signalwire-form ${url}`,
    ]);
    assert.deepEqual(host.conferenceStatuses, [
      { url, events: undefined, form: 'signalwire' },
      { url, events: ['join', 'leave'], form: 'signalwire' },
      { url, events: ['start', 'end'], form: 'signalwire-get' },
      { url, events: undefined, form: 'signalwire-form' },
    ]);
    assert.equal(host.done('join-conference').at(-1)?.options.muted, true);
  });

  it('refuses events that are none', async () => {
    const { end } = await runSwml([
      { join_conference: { name: 'a', recording_status_callback_event: 'completed done' } },
    ]);
    assert.equal(end.error?.code, 'relay_script_method_parameter_invalid_value');
  });

  it('plays what the document behind wait_url plays', async () => {
    const host = new TestHost();
    host.documents['https://app.example/wait'] =
      'sections:\n  main:\n    - play: {urls: ["say:wait", "silence:1"]}\n    - play: "say:more"\n    - sleep: 5\n';
    const { options } = await joinOf({ name: 'a', wait_url: 'https://app.example/wait' }, host);
    assert.deepEqual(options.waitPrompts, [
      { kind: 'text', text: 'wait' },
      { kind: 'silence', durationMs: 1000 },
      { kind: 'text', text: 'more' },
    ]);
    const { options: without } = await joinOf(
      { name: 'a', wait_url: 'https://app.example/gone' },
      new TestHost(),
    );
    assert.equal(without.waitPrompts, undefined);
  });

  it('tells how it went, and runs its result', async () => {
    const host = new TestHost();
    host.answers['join-conference'] = () => {
      if (host.done('join-conference').length === 2) throw new CallreelError('CONFLICT', 'it is full');
      return { end: 'closed' };
    };
    const result = {
      variable: 'join_conference_result',
      case: { completed: [{ play: 'say:done' }], failed: [{ play: 'say:full' }] },
    };
    const step = { join_conference: { name: 'a', result } };
    const { vars } = await runSwml([step, step], { host });
    assert.deepEqual(host.heard, ['done', 'full']);
    assert.equal(vars.return_value, 'failed');
  });
});
