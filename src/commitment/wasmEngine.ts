/**
 * The hash engine over the WebAssembly core. States live in the module's memory, 2048 bytes each; elements are taken in
 * pairs of the same number of 128-byte blocks, since the core hashes two at a time.
 */
import { AcsError } from '../io/error.js';
import { webAssembly } from '../wire/wasmAssembler.js';
import type { LtHashEngine } from './ltHashEngine.js';
import { checkState, emptyState, LTHASH_BYTES } from './lthash16.js';
import { blake2xbModule, WASM_LAYOUT } from './wasm/blake2xbModule.js';

interface CoreExports {
  memory: { buffer: ArrayBuffer; grow(pages: number): number };
  absorb(a: number, b: number): void;
  expand(root: number): void;
  add(state: number, other: number): void;
  subtract(state: number, other: number): void;
}

const BLOCK = 128;
/** Elements of up to this many blocks are hashed in pairs: an element of a contract has at most 262 bytes. */
const PAIRED_BLOCKS = 4;
const PAGE = 65_536;
const MAX_PAGES = 65_536;

/** Where the two root hashes of a pair start. */
const ROOT_A = WASM_LAYOUT.CHAIN;
const ROOT_B = WASM_LAYOUT.CHAIN + 8;

// Memory after the core's own working data.
const INITIAL_CHAIN = WASM_LAYOUT.FREE;
const OPERAND = INITIAL_CHAIN + 128;
/** One waiting element per number of blocks, then the element that joins it. */
const WAITING = OPERAND + LTHASH_BYTES;
const JOINING = WAITING + PAIRED_BLOCKS * PAIRED_BLOCKS * BLOCK;
/** Long inputs (a 2048-byte state) pass through here. */
const LONG = JOINING + PAIRED_BLOCKS * BLOCK;
const LONG_BYTES = LTHASH_BYTES;
const STATES = PAGE;

let compiled: object | null | undefined;

/** The compiled module, or null when this machine cannot run it. */
function compiledModule(): object | null {
  if (compiled === undefined) {
    const api = webAssembly;
    const bytes = blake2xbModule(2);
    compiled = api?.validate(bytes) === true ? new api.Module(bytes) : null;
  }
  return compiled;
}

/** Whether this process can run the WebAssembly core (WebAssembly with SIMD). */
export function wasmUsable(): boolean {
  return compiledModule() !== null;
}

/** Chaining value of the root hash, each word in both lanes: digest 64, fanout 1, depth 1, XOF length 2048. */
function initialChain(): Buffer {
  const words = [
    0x6a09e667f3bcc908n ^ 0x0101_0040n,
    0xbb67ae8584caa73bn ^ 0x0000_0800_0000_0000n,
    0x3c6ef372fe94f82bn,
    0xa54ff53a5f1d36f1n,
    0x510e527fade682d1n,
    0x9b05688c2b3e6c1fn,
    0x1f83d9abfb41bd6bn,
    0x5be0cd19137e2179n,
  ];
  const out = Buffer.alloc(128);
  words.forEach((word, k) => {
    out.writeBigUInt64LE(word, 16 * k);
    out.writeBigUInt64LE(word, 16 * k + 8);
  });
  return out;
}

/** Opens an engine; {@link wasmUsable} must hold. */
export function openWasmEngine(): LtHashEngine {
  const module = compiledModule();
  const api = webAssembly;
  if (module === null || api === undefined) throw new Error('no WebAssembly on this machine');
  const core = new api.Instance(module).exports as CoreExports;
  let memory = Buffer.from(core.memory.buffer);
  memory.set(initialChain(), INITIAL_CHAIN);

  let slots = 0;
  const free: number[] = [];
  // The waiting element per number of blocks: its state's slot (-1 = none), its length and its sign.
  const waitingSlot = new Int32Array(PAIRED_BLOCKS + 1).fill(-1);
  const waitingLength = new Int32Array(PAIRED_BLOCKS + 1);
  const waitingSign = new Int8Array(PAIRED_BLOCKS + 1);
  const waitingAt = (blocks: number): number => WAITING + (blocks - 1) * PAIRED_BLOCKS * BLOCK;
  const addressOf = (slot: number): number => STATES + slot * LTHASH_BYTES;

  /** Writes an element, padded with zeros to whole blocks. */
  const place = (element: Uint8Array, at: number, blocks: number): void => {
    memory.set(element, at);
    memory.fill(0, at + element.length, at + blocks * BLOCK);
  };

  /** Starts two root hashes. */
  const startRoots = (): void => {
    memory.copyWithin(WASM_LAYOUT.CHAIN, INITIAL_CHAIN, INITIAL_CHAIN + 128);
  };

  /** Absorbs the block at `a` and the block at `b`; the counters are the bytes absorbed including this block. */
  const absorb = (a: number, b: number, counterA: number, counterB: number, last: boolean): void => {
    memory.writeUInt32LE(counterA >>> 0, WASM_LAYOUT.COUNTER);
    memory.writeUInt32LE(Math.floor(counterA / 0x1_0000_0000), WASM_LAYOUT.COUNTER + 4);
    memory.writeUInt32LE(counterB >>> 0, WASM_LAYOUT.COUNTER + 8);
    memory.writeUInt32LE(Math.floor(counterB / 0x1_0000_0000), WASM_LAYOUT.COUNTER + 12);
    memory.fill(last ? 0xff : 0, WASM_LAYOUT.FINAL, WASM_LAYOUT.FINAL + 16);
    core.absorb(a, b);
  };

  const hashPair = (a: number, lengthA: number, b: number, lengthB: number, blocks: number): void => {
    startRoots();
    for (let i = 1; i < blocks; i++) {
      absorb(a + (i - 1) * BLOCK, b + (i - 1) * BLOCK, i * BLOCK, i * BLOCK, false);
    }
    absorb(a + (blocks - 1) * BLOCK, b + (blocks - 1) * BLOCK, lengthA, lengthB, true);
  };

  const apply = (root: number, slot: number, sign: number): void => {
    core.expand(root);
    if (sign === 1) core.add(addressOf(slot), WASM_LAYOUT.EXPANSION);
    else core.subtract(addressOf(slot), WASM_LAYOUT.EXPANSION);
  };

  /** Hashes the waiting element of this many blocks alone, if there is one. */
  const settle = (blocks: number): void => {
    const slot = waitingSlot[blocks]!;
    if (slot < 0) return;
    waitingSlot[blocks] = -1;
    const at = waitingAt(blocks);
    hashPair(at, waitingLength[blocks]!, at, waitingLength[blocks]!, blocks);
    apply(ROOT_A, slot, waitingSign[blocks]!);
  };

  const settleAll = (): void => {
    for (let blocks = 1; blocks <= PAIRED_BLOCKS; blocks++) settle(blocks);
  };

  /** Leaves the expansion of one input of any length at EXPANSION. */
  const expandOne = (element: Uint8Array): void => {
    startRoots();
    let at = 0;
    while (element.length - at > LONG_BYTES) {
      memory.set(element.subarray(at, at + LONG_BYTES), LONG);
      for (let i = 0; i < LONG_BYTES; i += BLOCK) {
        absorb(LONG + i, LONG + i, at + i + BLOCK, at + i + BLOCK, false);
      }
      at += LONG_BYTES;
    }
    const rest = element.subarray(at);
    const blocks = Math.max(1, Math.ceil(rest.length / BLOCK));
    place(rest, LONG, blocks);
    for (let i = 1; i <= blocks; i++) {
      const counter = i === blocks ? element.length : at + i * BLOCK;
      absorb(LONG + (i - 1) * BLOCK, LONG + (i - 1) * BLOCK, counter, counter, i === blocks);
    }
    core.expand(ROOT_A);
  };

  const reserve = (slot: number): void => {
    const needed = addressOf(slot + 1);
    if (needed <= memory.length) return;
    const pages = memory.length / PAGE;
    const wanted = Math.min(MAX_PAGES, Math.max(pages * 2, Math.ceil(needed / PAGE)));
    try {
      if (wanted <= pages) throw new RangeError('the address space of the hash core is used up');
      core.memory.grow(wanted - pages);
    } catch (cause) {
      throw new AcsError('COMMITMENT_TOO_MANY_GROUPS', 'no memory for another stakeholder group', {
        found: `${slot} groups of ${LTHASH_BYTES} bytes`,
        hint: 'compute the commitments of one counter-participant or synchronizer at a time',
        cause,
      });
    }
    memory = Buffer.from(core.memory.buffer);
  };

  return {
    kind: 'wasm',
    open() {
      const used = free.pop();
      if (used !== undefined) {
        memory.fill(0, addressOf(used), addressOf(used) + LTHASH_BYTES);
        return used;
      }
      // Memory never used is zero already, and stays untouched.
      reserve(slots);
      return slots++;
    },
    close(slot) {
      settleAll();
      free.push(slot);
    },
    change(slot, element, sign) {
      const blocks = element.length <= BLOCK ? 1 : Math.ceil(element.length / BLOCK);
      if (blocks > PAIRED_BLOCKS) {
        expandOne(element);
        if (sign === 1) core.add(addressOf(slot), WASM_LAYOUT.EXPANSION);
        else core.subtract(addressOf(slot), WASM_LAYOUT.EXPANSION);
        return;
      }
      const at = waitingAt(blocks);
      const other = waitingSlot[blocks]!;
      if (other < 0) {
        place(element, at, blocks);
        waitingSlot[blocks] = slot;
        waitingLength[blocks] = element.length;
        waitingSign[blocks] = sign;
        return;
      }
      waitingSlot[blocks] = -1;
      place(element, JOINING, blocks);
      hashPair(at, waitingLength[blocks]!, JOINING, element.length, blocks);
      apply(ROOT_A, other, waitingSign[blocks]!);
      apply(ROOT_B, slot, sign);
    },
    combine(slot, state, sign) {
      checkState(state);
      memory.set(state, OPERAND);
      if (sign === 1) core.add(addressOf(slot), OPERAND);
      else core.subtract(addressOf(slot), OPERAND);
    },
    read(slot, into) {
      settleAll();
      const out = into ?? emptyState();
      memory.copy(out, 0, addressOf(slot), addressOf(slot) + LTHASH_BYTES);
      return out;
    },
    write(slot, state) {
      checkState(state);
      settleAll();
      memory.set(state, addressOf(slot));
    },
    expand(element, into) {
      expandOne(element);
      const out = into ?? emptyState();
      memory.copy(out, 0, WASM_LAYOUT.EXPANSION, WASM_LAYOUT.EXPANSION + LTHASH_BYTES);
      return out;
    },
  };
}
