/** What of WebAssembly is used here: TypeScript declares it with the things of a browser only. */
export interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => WasmModule;
  Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory;
  Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Record<string, WasmMemory>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** Compiled code; it can be sent to threads. */
export type WasmModule = object;

/** Memory of code; it can be sent to threads, which share it. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
}

export const { WebAssembly: webAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
