import { mkdir, statfs } from 'node:fs/promises';

/** What lies on a disk: the data directory, the spool in it, the recordings' files where they are wanted. */
export type DiskPlace = 'data' | 'spool' | 'files';

export interface DiskSpace {
  freeBytes: number;
  bytes: number;
}

/** In so many looks a disk may not answer: what it said last holds until then. */
const patientLooks = 5;

/** The space on the disk of one directory. One that hangs keeps nobody waiting, and one of our threads at most. */
export class DiskWatch {
  readonly #directory: string;
  #space: DiskSpace | undefined;
  #isAsking = false;
  #looks = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** By the last look; undefined while the disk does not answer. */
  get space(): DiskSpace | undefined {
    return this.#space;
  }

  /** The first look makes the directory: before the first recording there is none, and it may be a disk of its own. */
  async start(): Promise<void> {
    this.#isAsking = true;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 }).catch(() => undefined);
    this.#isAsking = false;
    await this.look();
  }

  async look(): Promise<void> {
    if (this.#isAsking) {
      if (++this.#looks > patientLooks) this.#space = undefined;
      return;
    }
    this.#isAsking = true;
    this.#looks = 0;
    this.#space = await statfs(this.#directory).then(
      ({ bavail, blocks, bsize }) => ({ freeBytes: bavail * bsize, bytes: blocks * bsize }),
      () => undefined,
    );
    this.#isAsking = false;
  }
}
