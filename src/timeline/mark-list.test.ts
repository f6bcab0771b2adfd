import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxMarks } from './bounds.ts';
import { MarkList } from './mark-list.ts';

const format = { ssrc: 1, codec: 'PCMU', clockRateHz: 8000 } as const;

test('audio of another stream or in another form is marked, comfort noise is not', () => {
  const list = new MarkList();
  list.placed(format, 0);
  list.placed({ ...format }, 160);
  list.placed({ ...format, ssrc: 2 }, 320);
  list.placed({ ...format, ssrc: 2, codec: 'CN' }, 480);
  list.placed({ ...format, ssrc: 2, codec: 'PCMA' }, 640);
  list.placed({ ssrc: 3, codec: 'G722', clockRateHz: 8000 }, 800);
  assert.deepEqual(list.with([]), [
    { kind: 'ssrc-change', atSample: 320, ssrc: 2 },
    { kind: 'codec-change', atSample: 640, codec: 'PCMA', clockRateHz: 8000 },
    { kind: 'ssrc-change', atSample: 800, ssrc: 3 },
    { kind: 'codec-change', atSample: 800, codec: 'G722', clockRateHz: 8000 },
  ]);
});

test('marks that may yet change stand at their place', () => {
  const list = new MarkList();
  list.add({ kind: 'jump', atSample: 100, samples: 1 });
  list.add({ kind: 'jump', atSample: 300, samples: 1 });
  const open = [{ kind: 'jump', atSample: 200, samples: 1 }] as const;
  assert.deepEqual(
    list.with(open).map(({ atSample }) => atSample),
    [100, 200, 300],
  );
  assert.equal(list.with([]).length, 2);
});

test('there are no more than so many', () => {
  const list = new MarkList();
  for (let k = 0; k < maxMarks + 10; k++) list.add({ kind: 'jump', atSample: k, samples: 1 });
  assert.equal(list.with([]).length, maxMarks);
});
