/** Kinds and types of a Package message, inline and from its tables of interned ones (daml-lf spec, sections 2.2 and 2.5). */
import { LF1_DECIMAL, type LfLayout } from './lfLayout.js';
import { badIndex, malformed, tooDeep } from './malformedPackage.js';
import type { PackageNames } from './packageNames.js';
import type { LfType } from './type.js';
import type { WireMessage } from './wireMessage.js';

/** Types nested deeper are kept as opaque: no contract value can have them (its depth ends at 100). */
const MAX_TYPE_DEPTH = 500;
/** Inline message nesting, as Google's readers are configured for these packages. */
const MAX_MESSAGE_DEPTH = 1000;
/** Type arguments held in total: guards against tables that grow with the square of their length. */
const MAX_TYPE_ARGS = 8_000_000;
const MAX_KIND_CHARS = 10_000;

const NO_ARGS: readonly LfType[] = [];
const TOO_DEEP: LfType = { kind: 'opaque', what: 'tooDeep' };

/** Both throw `DALF_MALFORMED` and `DALF_TOO_LARGE`. */
export interface TypeDecoder {
  /** As text: `*`, `nat`, `(* -> *)`. */
  kind(message: WireMessage): string;
  /** `what` has this type, and must have one. */
  type(message: WireMessage | undefined, what: string): LfType;
}

export function typeDecoder(message: WireMessage, layout: LfLayout, names: PackageNames): TypeDecoder {
  const kinds: string[] = [];
  const types: LfType[] = [];
  const depths = new WeakMap<LfType, number>();
  let argsHeld = 0;

  function decodeKind(message: WireMessage, depth: number, inTable: boolean): string {
    if (depth > MAX_MESSAGE_DEPTH) throw tooDeep();
    switch (message.arm([1, 2, 3, 4])) {
      case 1:
        return '*';
      case 3:
        return 'nat';
      case 2: {
        const arrow = message.message(2);
        const result = arrow?.message(2);
        if (arrow === undefined || result === undefined) throw malformed('a kind is incomplete');
        let text = decodeKind(result, depth + 1, false);
        for (const param of arrow.messages(1).reverse()) {
          text = `(${decodeKind(param, depth + 1, false)} -> ${text})`;
          if (text.length > MAX_KIND_CHARS) throw tooDeep();
        }
        return text;
      }
      case 4: {
        const index = message.int(4);
        if (inTable && depth === 0) throw malformed('an entry of the kind table refers to another entry');
        const found = kinds[index];
        if (found === undefined) throw badIndex('interned kind', index, kinds.length);
        return found;
      }
      default:
        throw malformed('a kind is empty');
    }
  }

  function decodeType(message: WireMessage, depth: number, inTable: boolean): LfType {
    if (depth > MAX_MESSAGE_DEPTH) throw tooDeep();
    const { type: numbers } = layout;
    const arm = message.arm(Object.values(numbers).filter((field) => field !== 0));
    switch (arm) {
      case 0:
        throw malformed('a type is empty');
      case numbers.interned: {
        const index = message.int(arm);
        if (inTable && depth === 0) throw malformed('an entry of the type table refers to another entry');
        const found = types[index];
        if (found === undefined) throw badIndex('interned type', index, types.length);
        return found;
      }
      case numbers.nat: {
        const value = message.sint(arm);
        if (value < 0n || value > 37n)
          throw malformed('a type-level number is out of range', '0 to 37', `${value}`);
        return sized({ kind: 'nat', value: Number(value) });
      }
      case numbers.forall:
        return sized({ kind: 'opaque', what: 'forall' });
      case numbers.struct:
        return sized({ kind: 'opaque', what: 'struct' });
      default: {
        const body = message.message(arm);
        if (body === undefined) throw malformed('a type is empty');
        return arm === numbers.application ? application(body, depth) : sized(headed(arm, body, depth));
      }
    }
  }

  function headed(arm: number, body: WireMessage, depth: number): LfType {
    const { type: numbers } = layout;
    const args = body.messages(2).map((arg) => decodeType(arg, depth + 1, false));
    if (arm === numbers.con) return { kind: 'con', ref: names.typeRef(body.message(1)), args };
    if (arm === numbers.synonym) return { kind: 'synonym', ref: names.typeRef(body.message(1)), args };
    if (arm === numbers.var)
      return { kind: 'var', name: names.name(body, 3, layout.major === 1 ? 1 : 0), args };
    const number = body.int(1);
    if (layout.major === 1 && number === LF1_DECIMAL) {
      return { kind: 'builtin', builtin: 'numeric', args: [{ kind: 'nat', value: 10 }] };
    }
    const builtin = layout.builtins.get(number);
    if (builtin === undefined) throw malformed(`unknown built-in type ${number}`);
    return { kind: 'builtin', builtin, args: args.length === 0 ? NO_ARGS : args };
  }

  /** Flat archives apply one argument at a time: `((f a) b)`. */
  function application(body: WireMessage, depth: number): LfType {
    const lhs = body.message(1);
    const rhs = body.message(2);
    if (lhs === undefined || rhs === undefined) throw malformed('a type application is incomplete');
    const head = decodeType(lhs, depth + 1, false);
    const arg = decodeType(rhs, depth + 1, false);
    if (!('args' in head)) return head.kind === 'opaque' ? head : illKinded();
    return sized({ ...head, args: [...head.args, arg] });
  }

  function illKinded(): never {
    throw malformed('a type-level number is applied to a type');
  }

  /** Notes the depth of a new node and how many arguments are held in all. */
  function sized(type: LfType): LfType {
    let depth = 0;
    if ('args' in type) {
      argsHeld += type.args.length;
      if (argsHeld > MAX_TYPE_ARGS) throw tooDeep();
      for (const arg of type.args) {
        if (arg === TOO_DEEP) return TOO_DEEP;
        depth = Math.max(depth, (depths.get(arg) ?? 0) + 1);
      }
    }
    if (depth > MAX_TYPE_DEPTH) return TOO_DEEP;
    if (depth > 0) depths.set(type, depth);
    return type;
  }

  if (layout.major === 2) {
    for (const kind of message.messages(6)) kinds.push(decodeKind(kind, 0, true));
  }
  for (const type of message.messages(5)) types.push(decodeType(type, 0, true));

  return {
    kind: (each) => decodeKind(each, 0, false),
    type(each, what) {
      if (each === undefined) throw malformed(`${what} has no type`);
      return decodeType(each, 0, false);
    },
  };
}
