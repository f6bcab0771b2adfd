/**
 * The part of WASI (wasi_snapshot_preview1) that a command-line program needs, with files in memory only: the program
 * sees no file, clock, environment or network of this machine, and what it reads and writes never touches a disk.
 */
export interface WasiProgram {
  module: WebAssembly.Module;
  args: readonly string[];
  /** By name, in the root folder. */
  files: Readonly<Record<string, Uint8Array>>;
  /** Of all files written together; writing more ends the program. */
  maxWrittenBytes: number;
}

export interface WasiResult {
  exitCode: number;
  /** The files it was given and those it wrote. */
  files: ReadonlyMap<string, Uint8Array>;
}

/** Thrown out of `runWasi`: the program wrote more than it may. */
export class WrittenTooMuch extends Error {}

class ProgramExit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

interface MemoryFile {
  bytes: Uint8Array;
  length: number;
}

/** File type and errno numbers of the interface. */
const fileType = { characterDevice: 2, directory: 3, regularFile: 4 };
const errno = { success: 0, badDescriptor: 8, invalid: 28, noEntry: 44 };
const openFlag = { create: 1, truncate: 8 };
const appendFlag = 1;
const rootDescriptor = 3;

/** @throws WrittenTooMuch, and whatever trap the program runs into */
export function runWasi({ module, args, files, maxWrittenBytes }: WasiProgram): WasiResult {
  const store = new Map<string, MemoryFile>(
    Object.entries(files).map(([name, bytes]) => [name, { bytes, length: bytes.length }]),
  );
  const system = new MemorySystem(args, store, maxWrittenBytes);
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: system.calls });
  system.memory = exports.memory as WebAssembly.Memory;
  let exitCode = 0;
  try {
    (exports._start as () => void)();
  } catch (error) {
    if (!(error instanceof ProgramExit)) throw error;
    exitCode = error.exitCode;
  }
  return {
    exitCode,
    files: new Map([...store].map(([name, { bytes, length }]) => [name, bytes.subarray(0, length)])),
  };
}

interface OpenFile {
  file: MemoryFile;
  position: number;
}

class MemorySystem {
  memory!: WebAssembly.Memory;
  readonly #args: Uint8Array[];
  readonly #files: Map<string, MemoryFile>;
  readonly #open = new Map<number, OpenFile>();
  #writableBytes: number;
  #nextDescriptor = rootDescriptor + 1;

  constructor(args: readonly string[], files: Map<string, MemoryFile>, maxWrittenBytes: number) {
    this.#args = args.map((text) => Buffer.from(`${text}\0`));
    this.#files = files;
    this.#writableBytes = maxWrittenBytes;
  }

  readonly calls: WebAssembly.ModuleImports = {
    args_sizes_get: (count: number, bytes: number) => {
      this.#view.setUint32(count, this.#args.length, true);
      this.#view.setUint32(bytes, Buffer.concat(this.#args).length, true);
      return errno.success;
    },
    args_get: (pointers: number, texts: number) => {
      let at = texts;
      this.#args.forEach((text, index) => {
        this.#view.setUint32(pointers + 4 * index, at, true);
        this.#bytes.set(text, at);
        at += text.length;
      });
      return errno.success;
    },
    // Time stands still: the same text gives the same samples.
    clock_time_get: (_clock: number, _precision: bigint, time: number) => {
      this.#view.setBigUint64(time, 0n, true);
      return errno.success;
    },
    proc_exit: (code: number) => {
      throw new ProgramExit(code);
    },
    fd_prestat_get: (descriptor: number, prestat: number) => {
      if (descriptor !== rootDescriptor) return errno.badDescriptor;
      this.#view.setUint32(prestat, 0, true);
      this.#view.setUint32(prestat + 4, 1, true);
      return errno.success;
    },
    fd_prestat_dir_name: (_descriptor: number, name: number) => {
      this.#bytes.set(Buffer.from('/'), name);
      return errno.success;
    },
    fd_fdstat_get: (descriptor: number, stat: number) => {
      this.#bytes.fill(0, stat, stat + 24);
      this.#view.setUint8(stat, this.#typeOf(descriptor));
      // All rights, and all of them inherited.
      this.#bytes.fill(0xff, stat + 8, stat + 24);
      return errno.success;
    },
    fd_fdstat_set_flags: () => errno.success,
    fd_close: (descriptor: number) => (this.#open.delete(descriptor) ? errno.success : errno.badDescriptor),
    fd_seek: (descriptor: number, offset: bigint, whence: number, result: number) =>
      this.#seek(descriptor, Number(offset), whence, result),
    fd_read: (descriptor: number, vectors: number, count: number, result: number) => {
      const open = this.#open.get(descriptor);
      const read = open ? this.#vectors(vectors, count).map((target) => readInto(open, target)) : [0];
      this.#view.setUint32(result, sum(read), true);
      return errno.success;
    },
    fd_write: (descriptor: number, vectors: number, count: number, result: number) => {
      const open = this.#open.get(descriptor);
      const sources = this.#vectors(vectors, count);
      if (open) for (const source of sources) this.#write(open, source);
      this.#view.setUint32(result, sum(sources.map(({ length }) => length)), true);
      return errno.success;
    },
    path_open: (
      _folder: number,
      _lookup: number,
      path: number,
      pathBytes: number,
      flags: number,
      _rights: bigint,
      _inherited: bigint,
      mode: number,
      result: number,
    ) => {
      const name = Buffer.from(this.#bytes.subarray(path, path + pathBytes)).toString();
      return this.#openFile(name, flags, mode, result);
    },
  };

  get #view(): DataView {
    return new DataView(this.memory.buffer);
  }

  get #bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  #typeOf(descriptor: number): number {
    if (descriptor === rootDescriptor) return fileType.directory;
    return descriptor < rootDescriptor ? fileType.characterDevice : fileType.regularFile;
  }

  #vectors(at: number, count: number): Uint8Array[] {
    const view = this.#view;
    return Array.from({ length: count }, (_, index) => {
      const start = view.getUint32(at + 8 * index, true);
      return this.#bytes.subarray(start, start + view.getUint32(at + 8 * index + 4, true));
    });
  }

  #openFile(name: string, flags: number, mode: number, result: number): number {
    let file = this.#files.get(name);
    if (!file) {
      if (!(flags & openFlag.create)) return errno.noEntry;
      file = { bytes: new Uint8Array(0), length: 0 };
      this.#files.set(name, file);
    }
    if (flags & openFlag.truncate) file.length = 0;
    const descriptor = this.#nextDescriptor++;
    this.#open.set(descriptor, { file, position: mode & appendFlag ? file.length : 0 });
    this.#view.setUint32(result, descriptor, true);
    return errno.success;
  }

  #seek(descriptor: number, offset: number, whence: number, result: number): number {
    const open = this.#open.get(descriptor);
    if (!open) return errno.badDescriptor;
    const position = offset + (whence === 0 ? 0 : whence === 1 ? open.position : open.file.length);
    if (position < 0) return errno.invalid;
    open.position = position;
    this.#view.setBigUint64(result, BigInt(position), true);
    return errno.success;
  }

  #write(open: OpenFile, source: Uint8Array): void {
    const { file } = open;
    const end = open.position + source.length;
    this.#writableBytes -= Math.max(0, end - file.length);
    if (this.#writableBytes < 0) throw new WrittenTooMuch();
    if (end > file.bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(file.bytes.subarray(0, file.length));
      file.bytes = larger;
    }
    file.bytes.set(source, open.position);
    open.position = end;
    file.length = Math.max(file.length, end);
  }
}

function readInto(open: OpenFile, target: Uint8Array): number {
  const { file, position } = open;
  const part = file.bytes.subarray(position, Math.min(file.length, position + target.length));
  target.set(part);
  open.position += part.length;
  return part.length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
