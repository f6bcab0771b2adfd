import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocumentFile, parsePath } from './document-lines.ts';

test('a path leads to the deepest part that is there', () => {
  const text = '{"routine": [\n  {"name": "Say",\n   "text": 7}\n]}';
  const { value, placeOf } = parseDocumentFile('f.json', text);
  assert.deepEqual(value, { routine: [{ name: 'Say', text: 7 }] });
  const places: [path: string, place: string][] = [
    ['routine[0].text', 'f.json:3:12'],
    ['routine[0].on_done.url', 'f.json:2:3'],
    ['routine[3]', 'f.json:1:13'],
    ['', 'f.json:1:1'],
  ];
  for (const [path, place] of places) assert.equal(placeOf(parsePath(path)), place, path);
});

test('paths as the errors write them', () => {
  assert.deepEqual(parsePath('routine[0].processors[12].name'), ['routine', 0, 'processors', 12, 'name']);
  assert.deepEqual(parsePath('[3].a'), [3, 'a']);
});

test('a mistake of syntax has its place', () => {
  assert.throws(() => parseDocumentFile('f.yaml', 'a: [1,\nb: 2\n'), {
    code: 'DOCUMENT_INVALID',
    where: /^f\.yaml:\d+:\d+$/,
  });
});

test('JSON is read to the letter: by its name, or by its first character', () => {
  for (const [name, text, where] of [
    ['f.json', 'routine: []', 'f.json:1:1'],
    ['f.json', '{"routine": [\n  {"name": "HangUp"},\n]}', 'f.json:3:1'],
    ['routine', "\n {'routine': []}", 'routine:2:3'],
    ['routine.txt', '[{"name": "HangUp"} # comment\n]', 'routine.txt:1:21'],
  ] as const)
    assert.throws(() => parseDocumentFile(name, text), { code: 'DOCUMENT_INVALID', where });
  assert.deepEqual(parseDocumentFile('f.yaml', '{routine: []} # flow').value, { routine: [] });
  assert.deepEqual(parseDocumentFile('routine', '- name: HangUp').value, [{ name: 'HangUp' }]);
});

test('a name that stands twice counts as the server takes it: the last one', () => {
  const { value, placeOf } = parseDocumentFile('f.json', '\ufeff{"routine": [],\n "routine": [7]}');
  assert.deepEqual(value, { routine: [7] });
  assert.equal(placeOf(['routine', 0]), 'f.json:2:14');
});
