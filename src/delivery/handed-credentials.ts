import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const namePattern = /^[0-9a-f]{16}$/;

/**
 * Sealed credentials on their way from a recording that starts to the row of its delivery: a file each, for as long as
 * the database takes, so that they outlive a crash meanwhile and are nowhere else afterwards.
 */
export class HandedCredentials {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  put(recordingId: string, sealedCredentials: string): void {
    writeFileSync(this.#pathOf(recordingId), sealedCredentials, { mode: 0o600 });
  }

  get(recordingId: string): string | undefined {
    try {
      return readFileSync(this.#pathOf(recordingId), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The row has them. */
  drop(recordingId: string): void {
    rmSync(this.#pathOf(recordingId), { force: true });
  }

  /** Every row has its own. */
  clear(): void {
    for (const name of readdirSync(this.#directory)) if (namePattern.test(name)) this.drop(name);
  }

  #pathOf(recordingId: string): string {
    return join(this.#directory, recordingId);
  }
}
