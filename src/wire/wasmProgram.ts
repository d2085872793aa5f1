/**
 * WebAssembly written as expressions and statements instead of single instructions: for programs that walk through bytes,
 * where {@link InstructionWriter} alone would hide what is done. Numbers are 32-bit unless a name says otherwise.
 */
import {
  assembleModule,
  I32,
  InstructionWriter,
  type ValueType,
  type WasmFunction,
} from './wasmAssembler.js';

/** Writes the instructions of an expression (which leaves a value on the stack) or of a statement (which leaves nothing). */
export type Code = (w: InstructionWriter) => void;
export type Operand = Code | number;

/** A parameter, local or global; as an operand it is its value. */
export interface Variable extends Code {
  readonly set: (value: Operand) => Code;
}

/** A function of the program; applied to operands it is a call. */
export interface Routine {
  (...operands: Operand[]): Code;
  /**
   * Gives the function its body; once, and after the function may have been called in other bodies. With a result the last
   * piece of code is its value.
   */
  body(build: (params: readonly Variable[], local: (type?: ValueType) => Variable) => readonly Code[]): void;
}

export interface WasmProgram {
  /** Declares a function of so many 32-bit parameters; `result` is absent when it gives nothing. */
  routine(name: string, params: number, result?: ValueType): Routine;
  /** Takes in a function that was written instruction by instruction; calls inside of it count functions in this order. */
  include(written: WasmFunction): Routine;
  global(): Variable;
  assemble(pages: number): Uint8Array;
}

export function wasmProgram(): WasmProgram {
  const functions: WasmFunction[] = [];
  let globals = 0;

  function callable(index: number, body: Routine['body']): Routine {
    const call = (...operands: Operand[]): Code => {
      const codes = operands.map(put);
      return (w) => {
        for (const code of codes) code(w);
        w.call(index);
      };
    };
    return Object.assign(call, { body });
  }

  return {
    routine(name, params, result) {
      const written: WasmFunction = {
        name,
        params: new Array(params).fill(I32),
        ...(result === undefined ? {} : { result }),
        locals: [],
        body: new InstructionWriter(),
      };
      functions.push(written);
      return callable(functions.length - 1, (build) => {
        const local = (type: ValueType = I32): Variable => variable(params + written.locals.push(type) - 1);
        const code = build(
          written.params.map((_, i) => variable(i)),
          local,
        );
        for (const piece of code) piece(written.body);
      });
    },
    include(written) {
      functions.push(written);
      return callable(functions.length - 1, () => {
        throw new Error(`${written.name} has a body`);
      });
    },
    global() {
      const index = globals++;
      return Object.assign((w: InstructionWriter) => void w.getGlobal(index), {
        set: (value: Operand): Code => {
          const code = put(value);
          return (w) => {
            code(w);
            w.setGlobal(index);
          };
        },
      });
    },
    assemble: (pages) => assembleModule(pages, functions, globals),
  };
}

function variable(index: number): Variable {
  return Object.assign((w: InstructionWriter) => void w.get(index), {
    set: (value: Operand): Code => {
      const code = put(value);
      return (w) => {
        code(w);
        w.set(index);
      };
    },
  });
}

export function constant(n: number): Code {
  return (w) => void w.i32Const(n);
}

function put(operand: Operand): Code {
  return typeof operand === 'number' ? constant(operand) : operand;
}

// Statements.

export function when(condition: Operand, ...body: Code[]): Code {
  const code = put(condition);
  return (w) => {
    code(w);
    w.whenTrue(all(body));
  };
}

export function whenElse(condition: Operand, body: readonly Code[], other: readonly Code[]): Code {
  const code = put(condition);
  return (w) => {
    code(w);
    w.whenTrueElse(all(body), all(other));
  };
}

export function whileTrue(condition: Code, ...body: Code[]): Code {
  return (w) => void w.whileTrue(condition, all(body));
}

/** Leaves the function with this value. */
export function give(value: Operand): Code {
  const code = put(value);
  return (w) => {
    code(w);
    w.op(0x0f);
  };
}

/** Leaves the function with 0 unless the condition holds. */
export function need(condition: Operand): Code {
  return when(not(condition), give(0));
}

function all(codes: readonly Code[]): Code {
  return (w) => {
    for (const code of codes) code(w);
  };
}

// 32-bit expressions. Comparisons are unsigned and give 1 or 0.

function binary(opcode: number): (a: Operand, b: Operand) => Code {
  return (a, b) => {
    const first = put(a);
    const second = put(b);
    return (w) => {
      first(w);
      second(w);
      w.op(opcode);
    };
  };
}

function unary(opcode: number): (a: Operand) => Code {
  return (a) => {
    const code = put(a);
    return (w) => {
      code(w);
      w.op(opcode);
    };
  };
}

export const not = unary(0x45);
export const equal = binary(0x46);
export const differ = binary(0x47);
export const below = binary(0x49);
export const above = binary(0x4b);
export const atMost = binary(0x4d);
export const atLeast = binary(0x4f);
export const plus = binary(0x6a);
export const minus = binary(0x6b);
export const times = binary(0x6c);
export const bitAnd = binary(0x71);
export const bitOr = binary(0x72);
export const bitXor = binary(0x73);
export const shiftLeft = binary(0x74);
export const shiftRight = binary(0x76);
export const rotateLeft = binary(0x77);

/** Both hold; the second is not looked at when the first does not. */
export function both(a: Operand, b: Operand): Code {
  const first = put(a);
  const second = put(b);
  return (w) => {
    first(w);
    w.op(0x04).op(I32);
    second(w);
    w.op(0x05).i32Const(0).op(0x0b);
  };
}

/** One holds; the second is not looked at when the first does. */
export function either(a: Operand, b: Operand): Code {
  const first = put(a);
  const second = put(b);
  return (w) => {
    first(w);
    w.op(0x04).op(I32).i32Const(1).op(0x05);
    second(w);
    w.op(0x0b);
  };
}

// Memory: addresses are unsigned, `offset` a constant.

function load(opcode: number): (address: Operand, offset?: number) => Code {
  return (address, offset = 0) => {
    const code = put(address);
    return (w) => {
      code(w);
      w.memory(opcode, offset);
    };
  };
}

function store(opcode: number): (address: Operand, value: Operand, offset?: number) => Code {
  return (address, value, offset = 0) => {
    const place = put(address);
    const code = put(value);
    return (w) => {
      place(w);
      code(w);
      w.memory(opcode, offset);
    };
  };
}

export const byteAt = load(0x2d);
/** Little endian, like all that is longer than a byte. */
export const wordAt = load(0x28);
export const putWord = store(0x36);
export const longAt = load(0x29);
export const putLong = store(0x37);

// 64-bit expressions: operands are code, constants are made with `long`.

export function long(n: bigint): Code {
  return (w) => void w.i64Const(n);
}

export const longOf = unary(0xad);
export const lowWord = unary(0xa7);
export const longEqual = binary(0x51);
export const longBelow = binary(0x54);
export const longPlus = binary(0x7c);
export const longTimes = binary(0x7e);
export const longAnd = binary(0x83);
export const longOr = binary(0x84);
export const longXor = binary(0x85);
export const longShiftLeft = binary(0x86);
export const longShiftRight = binary(0x88);
export const longRotateLeft = binary(0x89);
export const longDivide = binary(0x80);
export const lowestBit = unary(0x7a);

// Vectors of 16 bytes.

function vectorBinary(opcode: number): (a: Code, b: Code) => Code {
  return (a, b) => (w) => {
    a(w);
    b(w);
    w.simd(opcode);
  };
}

export function vectorAt(address: Operand, offset = 0): Code {
  const code = put(address);
  return (w) => {
    code(w);
    w.load(offset);
  };
}

/** 8 bytes, each as a 16-bit lane. */
export function widenedAt(address: Operand): Code {
  const code = put(address);
  return (w) => {
    code(w);
    w.access(2, 0);
  };
}

/** A constant, its 16 bytes in the order of memory. */
export function vector(bytes: Uint8Array): Code {
  const words = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const low = words.getBigUint64(0, true);
  const high = words.getBigUint64(8, true);
  return (w) => void w.v128Const(low, high);
}

/** The bytes of the first that the second names; 0 where it names none. */
export const picked = vectorBinary(14);
export const vectorAnd = vectorBinary(78);
export const vectorOr = vectorBinary(80);

/** Byte by byte: all ones or zeros. */
export const bytesEqual = vectorBinary(35);
export const bytesDiffer = vectorBinary(36);
/** The same of signed bytes. */
export const bytesAbove = vectorBinary(39);

function shift(opcode: number): (a: Code, bits: number) => Code {
  return (a, bits) => (w) => {
    a(w);
    w.i32Const(bits).simd(opcode);
  };
}

export const bytesShiftRight = shift(109);
export const halvesShiftLeft = shift(139);
export const halvesShiftRight = shift(141);

/** The highest bit of each byte, that of the first one lowest. */
export function highBits(a: Code): Code {
  return (w) => {
    a(w);
    w.simd(100);
  };
}
