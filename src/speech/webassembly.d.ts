/** What is used of it; TypeScript has these types in its browser library only. */
declare namespace WebAssembly {
  type ImportFunction = (...args: never[]) => number;
  type ModuleImports = Record<string, ImportFunction>;

  class Module {
    constructor(bytes: Uint8Array);
  }

  class Memory {
    readonly buffer: ArrayBuffer;
  }

  class Instance {
    readonly exports: Record<string, unknown>;
    constructor(module: Module, imports: Record<string, ModuleImports>);
  }

  function compile(bytes: Uint8Array): Promise<Module>;
}
