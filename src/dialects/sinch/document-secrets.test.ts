import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import { Secret } from '../../secret.ts';
import { keptDocument, openDocument } from './document-secrets.ts';

const masterKey = new Secret(randomBytes(32));
const credentials = 'AKIANEVERSHOWN:NeverShownSecret:eu-central-1';
const options = { destinationUrl: 's3://my-bucket/', credentials };
const document = {
  instructions: [{ name: 'startRecording', options: [options] }],
  action: { name: 'connectConf', conferenceId: 'a', record: true, recordingOptions: options },
};

suite('credentials in the document of an application', () => {
  test('are sealed where it is kept, and are there again where it is used', () => {
    for (const given of [document, JSON.stringify(document)]) {
      const kept = keptDocument(given, 'body.document', masterKey);
      assert.ok(!JSON.stringify(kept).includes('NeverShown'));
      assert.deepEqual(openDocument(kept, masterKey).reveal(), document);
    }
  });

  test('what was shown can be sent back', () => {
    const kept = keptDocument(document, 'body.document', masterKey);
    assert.deepEqual(keptDocument(kept, 'body.document', masterKey), kept);
    assert.deepEqual(keptDocument(JSON.stringify(kept), 'body.document', masterKey), kept);
  });

  test('of another server are refused', () => {
    const kept = keptDocument(document, 'body.document', new Secret(randomBytes(32)));
    assert.throws(() => keptDocument(kept, 'body.document', masterKey), { code: 'DOCUMENT_INVALID' });
    assert.throws(() => openDocument(kept, masterKey), { code: 'SPOOL_KEY_MISSING' });
  });

  test('without any it is kept as it was given, and its mistakes have their lines', () => {
    const text = '{"action": {"name": "hangup"}}';
    assert.equal(keptDocument(text, 'body.document', masterKey), text);
    const wrong = '{\n"action": {"name": "jump"}}';
    assert.throws(() => keptDocument(wrong, 'body.document', masterKey), {
      where: 'body.document action.name line 2',
    });
    assert.throws(() => keptDocument('{', 'body.document', masterKey), { code: 'DOCUMENT_INVALID' });
  });
});
