/**
 * Types with equal structure become one object with a number: substitution, synonym expansion and comparison then cost
 * no more than the number of distinct nodes, however often nodes are shared.
 */

import { formatType, type LfType, type PackageSet, resolveSynonym, type TypeParam } from '../dar/type.js';
import { AcsError } from '../io/error.js';

/**
 * An interned type. `viaParameter` marks an `Optional` whose element was a bare type parameter in the source: its JSON
 * differs from that of a literally nested `Optional` (daml-lf spec, section 3.3).
 */
export interface InternedType {
  readonly id: number;
  readonly type: LfType;
  readonly args: readonly InternedType[];
  readonly viaParameter: boolean;
  /** No type variable anywhere inside. */
  readonly closed: boolean;
}

export type TypeBinding = ReadonlyMap<string, InternedType>;

const MAX_SYNONYM_STEPS = 1000;

export class TypeInterner {
  private readonly byKey = new Map<string, InternedType>();
  private readonly byNode = new WeakMap<LfType, InternedType>();

  intern(type: LfType): InternedType {
    const known = this.byNode.get(type);
    if (known !== undefined) return known;
    const args = 'args' in type ? type.args.map((arg) => this.intern(arg)) : [];
    const interned = this.make(type, args, false);
    this.byNode.set(type, interned);
    return interned;
  }

  private make(head: LfType, args: readonly InternedType[], viaParameter: boolean): InternedType {
    const key = `${headKey(head)}${viaParameter ? '!' : ''}(${args.map((arg) => arg.id).join()})`;
    let found = this.byKey.get(key);
    if (found === undefined) {
      const type = 'args' in head ? { ...head, args: args.map((arg) => arg.type) } : head;
      const closed = head.kind !== 'var' && args.every((arg) => arg.closed);
      found = { id: this.byKey.size, type, args, viaParameter, closed };
      this.byKey.set(key, found);
    }
    return found;
  }

  /** Replaces type variables. A variable without binding stays. */
  substitute(type: InternedType, binding: TypeBinding): InternedType {
    if (binding.size === 0 || type.closed) return type;
    return this.substituteOpen(type, binding, new Map());
  }

  private substituteOpen(
    type: InternedType,
    binding: TypeBinding,
    done: Map<number, InternedType>,
  ): InternedType {
    if (type.closed) return type;
    let result = done.get(type.id);
    if (result !== undefined) return result;
    const args = type.args.map((arg) => this.substituteOpen(arg, binding, done));
    const node = type.type;
    const bound = node.kind === 'var' ? binding.get(node.name) : undefined;
    if (bound !== undefined) result = this.apply(bound, args);
    else {
      const viaParameter =
        type.viaParameter ||
        (node.kind === 'builtin' &&
          node.builtin === 'optional' &&
          type.args.length === 1 &&
          type.args[0].type.kind === 'var');
      result = this.make(node, args, viaParameter);
    }
    done.set(type.id, result);
    return result;
  }

  private apply(head: InternedType, args: readonly InternedType[]): InternedType {
    if (args.length === 0) return head;
    if (!('args' in head.type)) {
      throw new AcsError(
        'TYPE_ILL_KINDED',
        `a type that takes no arguments is applied: ${formatType(head.type)}`,
      );
    }
    return this.make(head.type, [...head.args, ...args], head.viaParameter);
  }

  /** Binds the parameters of a definition. Their number must match. */
  bind(params: readonly TypeParam[], args: readonly InternedType[], what: string): TypeBinding {
    if (params.length !== args.length) {
      throw new AcsError('TYPE_ILL_KINDED', `${what} is applied to the wrong number of types`, {
        expected: `${params.length}`,
        found: `${args.length}`,
      });
    }
    return new Map(params.map((param, i) => [param.name, args[i]]));
  }

  /** Expands synonyms at the head until something else stands there. */
  expand(packages: PackageSet, type: InternedType): InternedType {
    let current = type;
    for (let step = 0; current.type.kind === 'synonym'; step++) {
      if (step === MAX_SYNONYM_STEPS) {
        throw new AcsError('TYPE_ILL_KINDED', `type synonym ${current.type.ref.name} never ends`);
      }
      const definition = resolveSynonym(packages, current.type.ref);
      const count = definition.params.length;
      const binding = this.bind(definition.params, current.args.slice(0, count), definition.ref.name);
      current = this.apply(this.substitute(this.intern(definition.type), binding), current.args.slice(count));
    }
    return current;
  }
}

function headKey(type: LfType): string {
  switch (type.kind) {
    case 'builtin':
      return `b:${type.builtin}`;
    case 'con':
    case 'synonym':
      return `${type.kind}:${type.ref.packageId}:${type.ref.module}:${type.ref.name}`;
    case 'var':
      return `v:${type.name}`;
    case 'nat':
      return `n:${type.value}`;
    case 'opaque':
      return `o:${type.what}`;
  }
}
