import { rmSync } from 'node:fs';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';

/** For servers that are started and killed; removed when the test leaves its scope. */
export class TemporaryDataDir implements Disposable {
  readonly path = makeTemporaryDir();

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
