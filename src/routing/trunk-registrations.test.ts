import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { RegistrationStatus } from '../sip/registration-keeper.ts';
import { testTrunk } from './test-trunk.ts';
import type { Trunk } from './trunk.ts';
import { TrunkRegistrations } from './trunk-registrations.ts';

const idle: RegistrationStatus = {
  state: 'idle',
  registration: undefined,
  expiresUnixMs: undefined,
  error: undefined,
  consecutiveFailures: 0,
  nextAttemptUnixMs: undefined,
};

/** A registrar that answers what the test says, when it says so. */
function stage() {
  const clock = new FakeClock();
  const calls: string[] = [];
  let trunks: Trunk[] = [];
  const tell = new Map<string, (status: Partial<RegistrationStatus>) => void>();
  const registrations = new TrunkRegistrations({
    clock,
    log: { warn: () => undefined },
    list: async () => trunks,
    keep: ({ trunkId, username }, changed) => {
      if (username === 'bad key') throw new CallreelError('SPOOL_KEY_MISSING', 'sealed by another key');
      let status = idle;
      tell.set(trunkId, (parts) => {
        status = { ...idle, ...parts };
        changed(status);
      });
      return {
        get status() {
          return status;
        },
        start: () => void calls.push(`start ${trunkId}`),
        close: async () => void calls.push(`close ${trunkId}`),
      };
    },
  });
  const set = (...next: Trunk[]) => {
    trunks = next;
    return registrations.sync();
  };
  return { clock, calls, tell, registrations, set };
}

const one = testTrunk('one', { registers: true, username: 'u' });
const registration = { expiresSeconds: 3600, contact: 'sip:one@192.0.2.1', serviceRoute: [] };

test('a trunk is registered while it is there, and anew when its account changes', async () => {
  const { calls, registrations, set } = stage();
  await set(one, testTrunk('silent'));
  await set(one, testTrunk('silent'));
  assert.deepEqual(calls, ['start one']);
  assert.equal(registrations.of('silent'), undefined);
  await set({ ...one, priority: 5 });
  assert.deepEqual(calls, ['start one']);
  await set({ ...one, username: 'v' });
  assert.deepEqual(calls, ['start one', 'close one', 'start one']);
  await set();
  assert.deepEqual(calls.slice(3), ['close one']);
  assert.equal(registrations.of('one'), undefined);
});

test('registering, registered, failing since, and why', async () => {
  const { clock, tell, registrations, set } = stage();
  await set(one);
  const startedUnixMs = clock.unixMs();
  assert.deepEqual(registrations.of('one'), {
    state: 'registering',
    sinceUnixMs: startedUnixMs,
    expiresUnixMs: undefined,
    nextAttemptUnixMs: undefined,
    lastError: undefined,
  });
  clock.advanceMs(1000);
  tell.get('one')!({ state: 'registered', registration, expiresUnixMs: startedUnixMs + 3_601_000 });
  clock.advanceMs(1000);
  tell.get('one')!({ state: 'refreshing', registration });
  const registered = registrations.of('one');
  assert.deepEqual([registered?.state, registered?.sinceUnixMs], ['registered', startedUnixMs + 1000]);
  const error = new CallreelError('SIP_REFUSED', 'REGISTER was refused: 403 Forbidden', { where: '403' });
  tell.get('one')!({ state: 'waiting', registration, error });
  clock.advanceMs(60_000);
  tell.get('one')!({ state: 'registering', registration, error });
  const failing = registrations.of('one');
  assert.deepEqual([failing?.state, failing?.sinceUnixMs], ['failing', startedUnixMs + 2000]);
  assert.equal(failing?.lastError, 'REGISTER was refused: 403 Forbidden (403)');
});

test('one trunk that cannot be opened keeps no other one back; closing removes all', async () => {
  const { calls, registrations, set } = stage();
  await set({ ...one, username: 'bad key' }, { ...one, trunkId: 'two' });
  assert.deepEqual(
    [registrations.of('one')?.state, registrations.of('one')?.lastError],
    ['failing', 'sealed by another key'],
  );
  await registrations.close();
  await registrations.sync();
  assert.deepEqual(calls, ['start two', 'close two']);
});
