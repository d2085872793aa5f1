/** What does the hashing, in two makes with the same results: WebAssembly (BLAKE2Xb only) and plain JavaScript. */
import { AcsError } from '../io/error.js';
import { openJavascriptEngine } from './javascriptEngine.js';
import type { EngineKind, Expansion, LtHashEngine } from './ltHashEngine.js';
import { openWasmEngine, wasmUsable } from './wasmEngine.js';

/**
 * Opens an engine. Without `kind` it is WebAssembly where this machine has it with SIMD and the expansion is BLAKE2Xb,
 * else JavaScript. Throws `COMMITMENT_NO_WASM` when WebAssembly is asked for and cannot be had.
 */
export function openEngine(expansion: Expansion, kind?: EngineKind): LtHashEngine {
  const usable = expansion === 'blake2xb' && wasmUsable();
  if (kind === 'wasm' && !usable) {
    throw new AcsError('COMMITMENT_NO_WASM', `no WebAssembly hash core for ${expansion} on this machine`, {
      expected: 'BLAKE2Xb and a Node.js with WebAssembly SIMD',
    });
  }
  return (kind ?? (usable ? 'wasm' : 'javascript')) === 'wasm'
    ? openWasmEngine()
    : openJavascriptEngine(expansion);
}
