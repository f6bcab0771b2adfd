import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Destination } from './destination.ts';
import { type UploadState, uploadFile } from './upload.ts';

/** A real storage behind a driver, and a look into it that the driver does not have. */
export interface ConformanceStage {
  /** Anew each time, as another process would. */
  open(): Destination;
  /** A full key made of a name with folders, as this driver's are. */
  keyFor(name: string): string;
  /** @returns undefined when there is no such object */
  stored(key: string): Promise<{ content: Buffer; contentType?: string | undefined } | undefined>;
}

const signal = new AbortController().signal;
const contentType = 'audio/mpeg';

/** What every driver does alike. */
export function testConformance(name: string, stage: () => ConformanceStage): void {
  test(`${name}: a file is stored exactly, and overwritten without a look`, async () => {
    const { open, keyFor, stored } = stage();
    const destination = open();
    for (const key of ['whole.mp3', 'a folder/ünï+cödé %20 & "quoted".mp3'].map(keyFor)) {
      for (const content of [randomBytes(100_000), Buffer.alloc(0), randomBytes(7)]) {
        await destination.put({ key, contentType }, content, signal);
        const found = await stored(key);
        assert.ok(found);
        assert.ok(found.content.equals(content), `${key}, ${content.length} bytes`);
        assert.equal(found.contentType ?? contentType, contentType);
      }
    }
    destination.close();
  });

  test(`${name}: parts go in any order, by several processes, and show only when all are there`, async () => {
    const { open, keyFor, stored } = stage();
    const first = open();
    const object = { key: keyFor('folder/parts.mp3'), contentType };
    const content = randomBytes(2 * first.partBytes + 12_345);
    const part = (number: number) =>
      content.subarray((number - 1) * first.partBytes, number * first.partBytes);
    const upload = { ...object, uploadId: await first.beginUpload(object, signal) };
    const third = await first.putPart(upload, 3, part(3), signal);
    await first.putPart(upload, 1, Buffer.alloc(first.partBytes), signal);
    first.close();
    assert.equal(await stored(object.key), undefined);

    const second = open();
    const receipts = [
      await second.putPart(upload, 1, part(1), signal),
      await second.putPart(upload, 2, part(2), signal),
      third,
    ];
    assert.equal(await stored(object.key), undefined);
    await second.completeUpload(upload, receipts, signal);
    second.close();
    const found = await stored(object.key);
    assert.ok(found);
    assert.ok(found.content.equals(content));
    assert.equal(found.contentType ?? contentType, contentType);
  });

  test(`${name}: an upload cut off goes on where it was, and leaves one whole file`, async () => {
    const { open, keyFor, stored } = stage();
    const object = { key: keyFor('resumed.mp3'), contentType };
    const killed = open();
    const content = randomBytes(2 * killed.partBytes + 1);
    const asked: number[] = [];
    const source = {
      bytes: content.length,
      async read(fromByte: number, toByte: number) {
        asked.push(fromByte);
        return content.subarray(fromByte, toByte);
      },
    };
    const abort = new AbortController();
    let state: UploadState | undefined;
    const cut = uploadFile(killed, object, source, {
      signal: abort.signal,
      async save(next) {
        state = next;
        if (Object.keys(next?.receipts ?? {}).length === 2) abort.abort(new Error('killed'));
      },
    });
    await assert.rejects(cut, /killed/);
    killed.close();
    assert.equal(await stored(object.key), undefined);

    const destination = open();
    const save = async (next: UploadState | undefined) => {
      state = next;
    };
    await uploadFile(destination, object, source, { signal, state, save });
    assert.deepEqual(asked, [0, destination.partBytes, 2 * destination.partBytes]);
    assert.equal(state, undefined);
    assert.ok((await stored(object.key))?.content.equals(content));
    destination.close();
  });

  test(`${name}: an upload that nobody knows begins anew`, async () => {
    const { open, keyFor, stored } = stage();
    const destination = open();
    const object = { key: keyFor('lost.mp3'), contentType };
    const content = randomBytes(destination.partBytes + 5);
    const uploadId = await destination.beginUpload(object, signal);
    const upload = { ...object, uploadId };
    const receipt = await destination.putPart(upload, 1, content.subarray(0, destination.partBytes), signal);
    await destination.abortUpload(upload, signal);
    await destination.abortUpload(upload, signal);
    const source = {
      bytes: content.length,
      read: async (fromByte: number, toByte: number) => content.subarray(fromByte, toByte),
    };
    const state = { uploadId, receipts: { 1: receipt } };
    await uploadFile(destination, object, source, { signal, state, save: async () => {} });
    assert.ok((await stored(object.key))?.content.equals(content));
    destination.close();
  });

  test(`${name}: nothing is sent once the signal is aborted`, async () => {
    const { open, keyFor, stored } = stage();
    const destination = open();
    const key = keyFor('aborted.mp3');
    const aborted = AbortSignal.abort(new Error('stopping'));
    await assert.rejects(destination.put({ key, contentType }, Buffer.from('x'), aborted), /stopping/);
    assert.equal(await stored(key), undefined);
    destination.close();
  });
}
