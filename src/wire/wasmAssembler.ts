/**
 * A small assembler for WebAssembly modules: just the instructions our hash cores need. The module is assembled in
 * memory when it is first used, so the TypeScript program is the only source and no compiled artefact can drift from it.
 */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof I64 | typeof V128;

/** The part of the WebAssembly API used here; the Node.js type package does not declare it. */
export interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
}

/** Undefined where Node.js was built or started without it. */
export const webAssembly = (globalThis as unknown as { WebAssembly?: WebAssemblyApi }).WebAssembly;

/** One exported function: its signature, its further locals, its body (without the closing `end`). */
export interface WasmFunction {
  name: string;
  params: ValueType[];
  /** Absent: it gives nothing. */
  result?: ValueType;
  locals: ValueType[];
  body: InstructionWriter;
}

/** Collects the instructions of one function body. Every method appends one instruction and returns the writer. */
export class InstructionWriter {
  readonly bytes: number[] = [];

  private unsigned(n: number): this {
    pushUnsigned(this.bytes, n);
    return this;
  }

  /** A vector instruction without operands of its own. */
  simd(opcode: number): this {
    this.bytes.push(0xfd);
    return this.unsigned(opcode);
  }

  /** A vector load or store at the address on the stack plus `offset`. */
  access(opcode: number, offset: number): this {
    return this.simd(opcode).unsigned(0).unsigned(offset);
  }

  get(local: number): this {
    this.bytes.push(0x20);
    return this.unsigned(local);
  }

  set(local: number): this {
    this.bytes.push(0x21);
    return this.unsigned(local);
  }

  tee(local: number): this {
    this.bytes.push(0x22);
    return this.unsigned(local);
  }

  i32Const(n: number): this {
    this.bytes.push(0x41);
    pushSigned(this.bytes, BigInt(n | 0));
    return this;
  }

  i32Add(): this {
    this.bytes.push(0x6a);
    return this;
  }

  i32LessUnsigned(): this {
    this.bytes.push(0x49);
    return this;
  }

  i32And(): this {
    this.bytes.push(0x71);
    return this;
  }

  /** Of two values and a condition on top of them: the first when the condition is not 0, else the second. */
  select(): this {
    return this.op(0x1b);
  }

  /** The 64-bit number on the stack is made of the unsigned 32-bit one. */
  i64ExtendUnsigned(): this {
    this.bytes.push(0xad);
    return this;
  }

  i64Const(n: bigint): this {
    this.bytes.push(0x42);
    pushSigned(this.bytes, BigInt.asIntN(64, n));
    return this;
  }

  i64Add(): this {
    this.bytes.push(0x7c);
    return this;
  }

  i64Multiply(): this {
    this.bytes.push(0x7e);
    return this;
  }

  i64And(): this {
    return this.op(0x83);
  }

  i64Xor(): this {
    this.bytes.push(0x85);
    return this;
  }

  i64ShiftRight(bits: number): this {
    return this.i64Const(BigInt(bits)).op(0x88);
  }

  i64RotateLeft(bits: number): this {
    return this.i64Const(BigInt(bits)).op(0x89);
  }

  /** Loads 8 bytes, little endian, from any address. */
  i64Load(offset: number): this {
    return this.op(0x29).unsigned(0).unsigned(offset);
  }

  /** Loads one byte as a 64-bit number. */
  i64LoadByte(offset: number): this {
    return this.op(0x31).unsigned(0).unsigned(offset);
  }

  i64Store(offset: number): this {
    return this.op(0x37).unsigned(0).unsigned(offset);
  }

  /** Loads 4 bytes, little endian, from any address as an unsigned 64-bit number. */
  i64LoadWord(offset: number): this {
    return this.op(0x35).unsigned(0).unsigned(offset);
  }

  /** Stores the low 4 bytes. */
  i64StoreWord(offset: number): this {
    return this.op(0x3e).unsigned(0).unsigned(offset);
  }

  /** An instruction of one byte that takes what it needs from the stack. */
  op(opcode: number): this {
    this.bytes.push(opcode);
    return this;
  }

  /** A load or store of one byte `opcode` at the address on the stack plus `offset`. */
  memory(opcode: number, offset: number): this {
    return this.op(opcode).unsigned(0).unsigned(offset);
  }

  /** A global of the module, a changeable 32-bit number that starts as 0. */
  getGlobal(index: number): this {
    return this.op(0x23).unsigned(index);
  }

  setGlobal(index: number): this {
    return this.op(0x24).unsigned(index);
  }

  /** Runs the first body when the condition on the stack is not 0, else the other. */
  whenTrueElse(body: (w: InstructionWriter) => void, other: (w: InstructionWriter) => void): this {
    this.bytes.push(0x04, 0x40);
    body(this);
    this.bytes.push(0x05);
    other(this);
    this.bytes.push(0x0b);
    return this;
  }

  /** Runs the body again and again while the condition before it puts something other than 0 on the stack. */
  whileTrue(condition: (w: InstructionWriter) => void, body: (w: InstructionWriter) => void): this {
    this.bytes.push(0x02, 0x40, 0x03, 0x40);
    condition(this);
    this.bytes.push(0x45, 0x0d, 0x01);
    body(this);
    this.bytes.push(0x0c, 0x00, 0x0b, 0x0b);
    return this;
  }

  /** Calls the function with this number in the module. */
  call(index: number): this {
    return this.op(0x10).unsigned(index);
  }

  /** Runs the body when the condition on the stack is not 0. */
  whenTrue(body: (w: InstructionWriter) => void): this {
    this.bytes.push(0x04, 0x40);
    body(this);
    this.bytes.push(0x0b);
    return this;
  }

  /** A loop whose body ends with a condition on the stack: it runs again while the condition is not 0. */
  repeatWhile(body: (w: InstructionWriter) => void): this {
    this.bytes.push(0x03, 0x40);
    body(this);
    this.bytes.push(0x0d, 0x00, 0x0b);
    return this;
  }

  /** Loads 16 bytes at address + offset. */
  load(offset: number): this {
    return this.access(0, offset);
  }

  /** Loads 8 bytes into both 64-bit lanes. */
  load64Splat(offset: number): this {
    return this.access(10, offset);
  }

  /** Loads 8 bytes into the low lane, the high lane is 0. */
  load64Zero(offset: number): this {
    return this.access(93, offset);
  }

  /** Replaces the high lane of the vector on the stack by 8 bytes of memory (address below the vector). */
  load64IntoHigh(offset: number): this {
    this.access(87, offset);
    this.bytes.push(1);
    return this;
  }

  store(offset: number): this {
    return this.access(11, offset);
  }

  v128Const(low: bigint, high: bigint): this {
    this.simd(12);
    for (const lane of [low, high]) {
      for (let shift = 0n; shift < 64n; shift += 8n) this.bytes.push(Number((lane >> shift) & 0xffn));
    }
    return this;
  }

  /** Picks 16 bytes out of the 32 bytes of two vectors. */
  shuffle(picks: readonly number[]): this {
    this.simd(13);
    this.bytes.push(...picks);
    return this;
  }

  /** Picks the bytes of a vector that the indices on top of the stack (each below 16) name. */
  swizzle(): this {
    return this.simd(14);
  }

  xor(): this {
    return this.simd(81);
  }

  or(): this {
    return this.simd(80);
  }

  add64(): this {
    return this.simd(206);
  }

  add32(): this {
    return this.simd(174);
  }

  /** The low two unsigned 32-bit lanes of two vectors multiplied to two 64-bit lanes. */
  multiplyLow32(): this {
    return this.simd(222);
  }

  /** The same of the high two. */
  multiplyHigh32(): this {
    return this.simd(223);
  }

  /** One of the two 64-bit lanes as a number. */
  lane64(lane: 0 | 1): this {
    this.simd(29);
    this.bytes.push(lane);
    return this;
  }

  add16(): this {
    return this.simd(142);
  }

  subtract16(): this {
    return this.simd(145);
  }

  shiftLeft64(bits: number): this {
    return this.i32Const(bits).simd(203);
  }

  shiftRight64(bits: number): this {
    return this.i32Const(bits).simd(205);
  }
}

/**
 * The bytes of a module with one exported memory (`memory`, in 64 KiB pages), the given exported functions and so many
 * globals.
 */
export function assembleModule(
  initialPages: number,
  functions: readonly WasmFunction[],
  globals = 0,
): Uint8Array {
  const out: number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  section(out, 1, (s) => {
    pushUnsigned(s, functions.length);
    for (const f of functions) {
      s.push(0x60);
      pushUnsigned(s, f.params.length);
      s.push(...f.params, f.result === undefined ? 0 : 1);
      if (f.result !== undefined) s.push(f.result);
    }
  });
  section(out, 3, (s) => {
    pushUnsigned(s, functions.length);
    functions.forEach((_, index) => {
      pushUnsigned(s, index);
    });
  });
  section(out, 5, (s) => {
    s.push(0x01, 0x00);
    pushUnsigned(s, initialPages);
  });
  if (globals > 0) {
    section(out, 6, (s) => {
      pushUnsigned(s, globals);
      for (let i = 0; i < globals; i++) s.push(I32, 0x01, 0x41, 0x00, 0x0b);
    });
  }
  section(out, 7, (s) => {
    pushUnsigned(s, functions.length + 1);
    pushName(s, 'memory');
    s.push(0x02, 0x00);
    functions.forEach((f, index) => {
      pushName(s, f.name);
      s.push(0x00);
      pushUnsigned(s, index);
    });
  });
  section(out, 10, (s) => {
    pushUnsigned(s, functions.length);
    for (const f of functions) {
      const code: number[] = [];
      pushUnsigned(code, f.locals.length);
      for (const type of f.locals) code.push(0x01, type);
      for (const b of f.body.bytes) code.push(b);
      code.push(0x0b);
      pushUnsigned(s, code.length);
      for (const b of code) s.push(b);
    }
  });
  return Uint8Array.from(out);
}

function section(out: number[], id: number, fill: (s: number[]) => void): void {
  const content: number[] = [];
  fill(content);
  out.push(id);
  pushUnsigned(out, content.length);
  for (const b of content) out.push(b);
}

function pushName(out: number[], name: string): void {
  const bytes = Buffer.from(name, 'utf8');
  pushUnsigned(out, bytes.length);
  out.push(...bytes);
}

function pushUnsigned(out: number[], n: number): void {
  let rest = n >>> 0;
  while (rest >= 0x80) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.push(rest);
}

function pushSigned(out: number[], n: bigint): void {
  let rest = n;
  for (;;) {
    const bits = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && (bits & 0x40) === 0) || (rest === -1n && (bits & 0x40) !== 0)) {
      out.push(bits);
      return;
    }
    out.push(bits | 0x80);
  }
}
