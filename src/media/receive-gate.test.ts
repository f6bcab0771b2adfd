import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReceiveGate } from './receive-gate.ts';

/** docs/sip-sessions.md: for 2 s. */
const inFlightUs = 2_000_000;

test('what was on its way when the peer went to hold is taken, of its stream and for a while', () => {
  const gate = new ReceiveGate();
  gate.agree(true, 0);
  assert.ok(gate.admits(7, 1));
  gate.took(7);
  gate.agree(false, 1000);
  gate.agree(false, inFlightUs);
  assert.equal(gate.isOpen, false);
  assert.ok(gate.admits(7, 1000 + inFlightUs));
  assert.equal(gate.admits(8, 2000), false, 'another stream is none that was cut off');
  assert.equal(gate.admits(7, 1001 + inFlightUs), false);
  gate.agree(true, 3 * inFlightUs);
  assert.ok(gate.admits(8, 3 * inFlightUs));
});

test('a leg that never was to send is not heard', () => {
  const gate = new ReceiveGate();
  gate.agree(false, 1000);
  assert.equal(gate.admits(7, 1000), false);
});
