declare module '@evan/opus/wasm/index.mjs' {
  export class Decoder {
    constructor(options: { channels: 1 | 2; sample_rate: number });
    /** @returns interleaved 16-bit samples as bytes, in memory of its own */
    decode(payload: Uint8Array): Uint8Array;
  }

  export class Encoder {
    constructor(options: {
      channels: 1 | 2;
      sample_rate: number;
      application: 'voip' | 'audio' | 'restricted_lowdelay';
    });
    encode(samples: ArrayBufferView): Uint8Array;
  }
}
