import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkedDocument } from './checked-document.ts';

test('what is right is kept as it was given', () => {
  const document = { version: '1.0.0', sections: { main: [{ answer: {} }] } };
  assert.equal(checkedDocument(document, 'body.document'), document);
  const text = 'version: 1.0.0\nsections:\n  main:\n    - answer: {}\n';
  assert.equal(checkedDocument(text, 'body.document'), text);
});

test('a section without a step is taken where that is asked for, and nothing else with it', () => {
  const empty = { sections: { main: [] } };
  assert.throws(() => checkedDocument(empty, 'x'), { message: /section_code_missing/ });
  assert.equal(checkedDocument(empty, 'x', { mayBeEmpty: true }), empty);
  for (const wrong of [{ sections: { main: [], menu: [{ answr: {} }] } }, {}, 'sections: ['])
    assert.throws(() => checkedDocument(wrong, 'x', { mayBeEmpty: true }), { code: 'DOCUMENT_INVALID' });
});

test('what is wrong is said with its place', () => {
  const text = 'version: 1.0.0\nsections:\n  main:\n    - answr: {}\n';
  const about = { code: 'DOCUMENT_INVALID', message: /^relay_script_/, where: /^body\.document .*line 4$/ };
  assert.throws(() => checkedDocument(text, 'body.document'), about);
  for (const nothing of [7, [], ''])
    assert.throws(() => checkedDocument(nothing, 'x'), { code: 'DOCUMENT_INVALID' });
});
