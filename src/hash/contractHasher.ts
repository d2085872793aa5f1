/**
 * Hashes of one contract after another with the same buffers: contract hash, key hash, contract id. One instance per
 * thread; not reentrant.
 */
import type { BlobView } from '../contract/blob.js';
import { type ContractIdVersion, V2_LOCAL_BYTES } from '../contract/contractId.js';
import type { PackageSet } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { readSalt, readV2AuthenticationData } from './authenticationData.js';
import type { HashMethod } from './contractHash.js';
import { HashBuffer } from './hashBuffer.js';
import { TemplateBinder, type TemplateBinding, type TemplateTypes } from './templateBinding.js';
import { TypedForm, type TypedFormOptions } from './typedForm.js';
import { absolutizedHash, v2TimePrefix, writeUnicum } from './unicum.js';
import { UntypedForm } from './untypedForm.js';

/** The hash that goes with an id version at Canton 3.5.10 (spec, section 1). */
export const METHOD_OF_VERSION: Readonly<Record<ContractIdVersion, HashMethod>> = {
  V10: 'legacy',
  V11: 'upgradeFriendly',
  V12: 'typed',
  V2_0: 'typed',
};

const V1_SUFFIX_HEAD: Readonly<Record<'V10' | 'V11' | 'V12', Buffer>> = {
  V10: Buffer.from('ca101220', 'hex'),
  V11: Buffer.from('ca111220', 'hex'),
  V12: Buffer.from('ca121220', 'hex'),
};

const KEY_RULES: TypedFormOptions = { forbidContractIds: true };
const TRAILING_NONE_ALLOWED: TypedFormOptions = { trailingNone: true };

export class ContractHasher {
  readonly binder: TemplateBinder;
  readonly untyped = new UntypedForm();
  readonly typed = new TypedForm();
  private readonly content = new HashBuffer();
  private readonly outer = new HashBuffer();

  constructor(packages: PackageSet) {
    this.binder = new TemplateBinder(packages);
  }

  /**
   * The contract hash. The typed method needs `types`.
   * Errors: those of `decodeValue` and `checkValue`; offsets are positions in `view.buf`.
   */
  contractHash(view: BlobView, binding: TemplateBinding, method: HashMethod, types = binding.types): Buffer {
    const out = this.content.reset().piece(binding.contractHashHeader(method));
    if (method !== 'typed') this.untyped.write(out, method, view.buf, view.argumentStart, view.argumentEnd);
    else {
      const { plan } = requireTypes(binding, types);
      this.typed.write(out, plan.arg, view.buf, view.argumentStart, view.argumentEnd);
    }
    return out.sha256();
  }

  /** Checks the argument against its type as an import does. Errors: those of `checkValue`. */
  checkArgument(view: BlobView, types: TemplateTypes, trailingNone: boolean): void {
    this.typed.write(
      this.content.reset(),
      types.plan.arg,
      view.buf,
      view.argumentStart,
      view.argumentEnd,
      trailingNone ? TRAILING_NONE_ALLOWED : undefined,
    );
  }

  /** The typed hash of the contract's key, which must exist on both sides. Errors: those of `checkValue`. */
  keyHash(view: BlobView, binding: TemplateBinding, types = binding.types): Buffer {
    const { plan } = requireTypes(binding, types);
    if (plan.key === null) {
      throw new AcsError('TYPE_NO_KEY', `the template ${plan.ref.name} has no key`, { path: 'key' });
    }
    const out = this.content.reset().piece(binding.keyHashHeader);
    try {
      this.typed.write(out, plan.key, view.buf, view.keyValueStart, view.keyValueEnd, KEY_RULES);
    } catch (error) {
      if (error instanceof AcsError && error.place.path !== undefined) {
        const rest = error.place.path;
        error.place.path = rest === '' || rest.startsWith('[') ? `key${rest}` : `key.${rest}`;
      }
      throw error;
    }
    return out.sha256();
  }

  /**
   * The SHA-256 that ends a `00…` id. `keyHash` stands in for the stored key hash.
   * Error: `AUTHENTICATION_DATA`.
   */
  unicum(view: BlobView, contractHash: Buffer, keyHash?: Buffer): Buffer {
    const salt = readSalt(view.buf, view.authenticationStart, view.authenticationEnd);
    writeUnicum(this.outer, view, salt.start, contractHash, true, keyHash);
    return this.outer.sha256();
  }

  /** The SHA-256 that ends a `01…` id with an absolute suffix. Error: `AUTHENTICATION_DATA`. */
  v2SuffixHash(view: BlobView, contractHash: Buffer, keyHash?: Buffer): Buffer {
    const data = readV2AuthenticationData(view.buf, view.authenticationStart, view.authenticationEnd);
    if (data.updateIdStart < 0) {
      throw new AcsError('AUTHENTICATION_DATA', 'the authentication data lacks the creating update id', {
        byteOffset: view.authenticationStart,
        expected: 'field 2 (34 bytes)',
      });
    }
    const relative = this.v2RelativeHash(view, contractHash, keyHash);
    const updateId = view.buf.subarray(data.updateIdStart, data.updateIdEnd);
    return absolutizedHash(this.outer, relative, updateId, view.createdAt);
  }

  /** The SHA-256 behind `00` in the suffix of a relative `01…` id. Error: `AUTHENTICATION_DATA`. */
  v2RelativeHash(view: BlobView, contractHash: Buffer, keyHash?: Buffer): Buffer {
    const data = readV2AuthenticationData(view.buf, view.authenticationStart, view.authenticationEnd);
    writeUnicum(this.outer, view, data.start, contractHash, false, keyHash);
    return this.outer.sha256();
  }

  /**
   * The id that the contract's content has under `version`; discriminator or local part are those of the id at hand.
   * Errors: `AUTHENTICATION_DATA`, those of {@link contractHash}.
   */
  contractId(view: BlobView, version: ContractIdVersion, contractHash: Buffer, keyHash?: Buffer): Buffer {
    const { buf, contractIdStart: start } = view;
    if (version === 'V2_0') {
      const local = Buffer.from(buf.subarray(start, start + V2_LOCAL_BYTES));
      v2TimePrefix(view.createdAt).copy(local, 1);
      return Buffer.concat([local, Buffer.of(0x80), this.v2SuffixHash(view, contractHash, keyHash)]);
    }
    return Buffer.concat([
      buf.subarray(start, start + 33),
      V1_SUFFIX_HEAD[version],
      this.unicum(view, contractHash, keyHash),
    ]);
  }
}

function requireTypes(binding: TemplateBinding, types: TemplateTypes | null): TemplateTypes {
  if (types !== null) return types;
  throw new AcsError(
    'PACKAGE_MISSING',
    'the package that represents the contract is not among the given DARs',
    {
      expected: binding.representativePackageId,
      hint: 'give the DAR that contains it with --dar',
    },
  );
}
