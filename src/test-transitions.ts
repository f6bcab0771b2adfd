import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextState, type TransitionTable } from './state-machine.ts';

/** One row as the RFC has it: from, event, to, and where it says so. */
export type ExpectedTransition<State extends string, Event extends string> = readonly [
  from: State,
  event: Event,
  to: State,
  clause: string,
];

/**
 * For tests only: holds a machine's table to rows that were copied by hand out of its RFC (or, where there is none, out of the page of docs/ that the row names), and sees that every pair of
 * a state and an event beyond them is refused. The test calls `throwOnUnlistedTransitions` before.
 */
export function testTransitions<State extends string, Event extends string>(
  machine: string,
  table: TransitionTable<State, Event>,
  {
    states,
    events,
    expected,
  }: {
    states: readonly State[];
    events: readonly Event[];
    expected: readonly ExpectedTransition<State, Event>[];
  },
): void {
  test(`${machine}: the RFC's transitions lead where it says`, () => {
    for (const [from, event, to, clause] of expected)
      assert.equal(nextState(machine, table, from, event), to, `${event} in ${from}: ${clause}`);
  });

  test(`${machine}: every other pair is refused`, () => {
    assert.deepEqual(Object.keys(table).sort(), [...states].sort());
    const listed = new Set(expected.map(([from, event]) => `${from} ${event}`));
    assert.equal(listed.size, expected.length, 'a pair is expected twice');
    for (const from of states)
      for (const event of events)
        if (!listed.has(`${from} ${event}`))
          assert.throws(() => nextState(machine, table, from, event), { code: 'STATE_INVALID' });
    const rows = Object.entries(table).flatMap(([from, row]) =>
      Object.keys(row as object).map((event) => `${from} ${event}`),
    );
    assert.deepEqual(rows.sort(), [...listed].sort());
  });
}
