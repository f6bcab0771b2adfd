import { CallreelError } from '../errors.ts';
import { type OpusInstance, opusInstance } from './opus-module.ts';

export type OpusCoderKind = 'decoder' | 'encoder';

interface Allocation {
  kind: OpusCoderKind;
  instance: OpusInstance;
  handle: number;
}

/** Memory of coders that nobody holds any more; `close` is sooner. */
const abandoned = new FinalizationRegistry<Allocation>(release);

function release({ kind, instance, handle }: Allocation): void {
  if (instance.isBroken) return;
  if (kind === 'decoder') instance.exports.freeDecoder(handle);
  else instance.exports.freeEncoder(handle);
}

/** One coder's state inside the WebAssembly instance. It begins anew in another one where its instance broke. */
export class OpusCoder {
  readonly #kind: OpusCoderKind;
  readonly #create: (instance: OpusInstance) => number;
  #allocation: Allocation | undefined;

  /** @param create gives the handle, 0 where no memory is left */
  constructor(kind: OpusCoderKind, create: (instance: OpusInstance) => number) {
    this.#kind = kind;
    this.#create = create;
    this.acquire();
  }

  /** @throws CallreelError CODEC_UNSUPPORTED where the instance has no memory left */
  acquire(): Readonly<Allocation> {
    const present = this.#allocation;
    if (present && !present.instance.isBroken) return present;
    const instance = opusInstance();
    const handle = this.#create(instance);
    if (handle === 0)
      throw new CallreelError('CODEC_UNSUPPORTED', `no memory for another Opus ${this.#kind}`);
    const allocation = { kind: this.#kind, instance, handle };
    if (present) abandoned.unregister(this);
    abandoned.register(this, allocation, this);
    this.#allocation = allocation;
    return allocation;
  }

  /** Frees the state; a call afterwards begins with a new one. */
  close(): void {
    if (!this.#allocation) return;
    abandoned.unregister(this);
    release(this.#allocation);
    this.#allocation = undefined;
  }
}
