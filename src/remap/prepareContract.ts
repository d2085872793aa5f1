/**
 * A source contract with its parties, packages and synchronizer already changed, its references still old: what both
 * passes of a remap start from (contract-id spec, section 7.2).
 */

import { type ContractIdVersion, classifyContractId } from '../contract/contractId.js';
import type { ContractInstance } from '../contract/contractInstance.js';
import type { LfValue } from '../contract/value.js';
import { decodeValue } from '../contract/valueDecoder.js';
import { encodeValue } from '../contract/valueEncoder.js';
import { packageIdOf, packageNameOf } from '../convert/completeContract.js';
import type { SourceContract } from '../convert/sourceContract.js';
import { argumentOf, keyOf } from '../convert/typeSource.js';
import { AcsError } from '../io/error.js';
import type { TemplateId } from '../snapshot/eventValues.js';
import { checkValue } from '../typed/typeCheck.js';
import type { PlanCompiler, TemplatePlan } from '../typed/typePlan.js';
import type { Mint } from './mint.js';
import { normalForm } from './normalForm.js';
import type { PartyMap } from './partyMap.js';
import type { KeyCollision, RemapCode } from './remapFindings.js';
import { ValueRemapper } from './remapValue.js';
import type { TextParties } from './textParties.js';

export interface PrepareOptions {
  readonly map: PartyMap;
  readonly compiler?: PlanCompiler | undefined;
  readonly mint?: Mint | undefined;
  readonly packageMap?: ReadonlyMap<string, string> | undefined;
  readonly synchronizerMap?: ReadonlyMap<string, string> | undefined;
  /** For sources that name none. */
  readonly synchronizerId?: string | undefined;
  /** For sources that have none; microseconds since the epoch. */
  readonly createdAt?: bigint | undefined;
  /** Version of minted ids. */
  readonly mintVersion: ContractIdVersion;
}

/** Where a preparation says what it met. In the second pass nobody listens. */
export interface PrepareReport {
  add(code: RemapCode, contractId: string, detail?: string): void;
  collision(collision: KeyCollision): void;
  party(party: string): void;
}

export interface Prepared {
  /** The name under which the contract is known: its id, or the local id made from an id that is no hex. */
  tableId: string;
  /** The old id as the source writes it. */
  sourceId: string;
  /** Parties, packages and normal form applied; the id is the old one, or the local part of a minted one. */
  instance: ContractInstance;
  argument: LfValue;
  keyValue: LfValue | undefined;
  /** References in argument, as {@link tableId}s; may repeat. */
  references: string[];
  /** The content differs from the source's, references aside. */
  changed: boolean;
  minted: boolean;
  version: ContractIdVersion | undefined;
  representativePackageId: string;
  synchronizerId: string;
  witnesses: readonly string[] | undefined;
  signatories: string[];
  observers: string[];
}

const HEX_ID = /^(?:[0-9a-f]{2}){13,127}$/;

export class ContractPreparer {
  private readonly options: PrepareOptions;
  private readonly texts: TextParties;
  private readonly report: PrepareReport;
  /** What a reference becomes: itself in the first pass, the new id in the second. */
  private readonly resolve: (tableId: string) => string;
  private readonly remapper: ValueRemapper;
  /** Takes the old ids of the synchronizers and packages that get new ones. */
  private readonly renamed: Set<string>;
  private readonly partyOf = new Map<string, string>();
  private references: string[] = [];
  private current = '';
  private inKey = false;

  constructor(
    options: PrepareOptions,
    texts: TextParties,
    report: PrepareReport,
    resolve: (tableId: string) => string = (id) => id,
    renamed: Set<string> = new Set(),
  ) {
    this.renamed = renamed;
    this.options = options;
    this.texts = texts;
    this.report = report;
    this.resolve = resolve;
    this.remapper = new ValueRemapper({
      party: (party) => this.party(party),
      contractId: (id) => {
        const tableId = this.tableId(id);
        this.references.push(tableId);
        return this.resolve(tableId);
      },
      text: (text, path) => {
        const found = this.texts.find(text);
        if (found !== undefined) {
          report.add('TEXT_PARTY', this.current, `at ${this.where(path)}: ${found}`);
        }
      },
      keyCollision: (path, lost) => {
        const at = this.where(path);
        report.add('KEY_COLLISION', this.current, `at ${at}`);
        report.collision({ contractId: this.current, path: at, lost });
      },
    });
  }

  private where(path: () => string): string {
    const text = path();
    if (!this.inKey) return text;
    return text === '' || text.startsWith('[') ? `key${text}` : `key.${text}`;
  }

  private party(party: string): string {
    let mapped = this.partyOf.get(party);
    if (mapped === undefined) {
      mapped = this.options.map.get(party);
      if (mapped === undefined) {
        mapped = party;
        this.report.add('UNMAPPED_PARTY', this.current, party);
      }
      this.report.party(party);
      this.partyOf.set(party, mapped);
    }
    return mapped;
  }

  /** Ids that are no hex get the local part of the id they will be minted with. */
  tableId(id: string): string {
    if (HEX_ID.test(id)) return id;
    const { mint } = this.options;
    if (mint === undefined) {
      throw new AcsError('SEED_NEEDED', 'a contract id is not of Canton: a new one has to be minted', {
        contractId: this.current,
        found: id,
        hint: 'give --seed',
      });
    }
    return mint.localId(id);
  }

  /** Errors: `SEED_NEEDED`, `REMAP_*`, those of typing. */
  prepare(contract: SourceContract): Prepared {
    this.current = contract.contractId;
    this.references = [];
    const { options } = this;
    const tableId = this.tableId(contract.contractId);
    const info = classifyContractId(Buffer.from(tableId, 'hex'));
    const version = info.kind === 'canton' ? info.version : undefined;
    const minted = version === undefined || contract.authenticationData === undefined;
    if (minted && options.mint === undefined) throw seedNeeded(contract, version);
    const templateId = this.templateId(contract);
    const plan = this.plan(templateId);
    if (minted && plan === undefined) throw packageNeeded(contract, templateId);
    const typing = { compiler: options.compiler, contractId: (id: string) => this.tableId(id) };
    let argument = sourceArgument(contract, typing);
    let keyValue = sourceKey(contract, typing);
    if (minted && plan !== undefined) {
      argument = normalForm(plan.arg, argument);
      if (keyValue !== undefined && plan.key !== null) keyValue = normalForm(plan.key, keyValue);
    }
    this.inKey = false;
    const newArgument = this.remapper.remap(argument, plan?.arg);
    this.inKey = true;
    const newKey = keyValue === undefined ? undefined : this.remapper.remap(keyValue, plan?.key ?? undefined);
    if (templateId.packageId !== contract.templateId.packageId) {
      // Not every version of ids hashes with types: the new package's are looked at here.
      if (plan === undefined) throw packageNeeded(contract, templateId);
      const rules = { trailingNone: version === 'V10' };
      checkValue(plan.arg, newArgument, rules);
      if (newKey !== undefined && plan.key !== null) checkValue(plan.key, newKey, rules);
    }
    const roles = this.roles(contract);
    const packageName = this.packageName(contract, templateId);
    const changed =
      minted ||
      newArgument !== argument ||
      newKey !== keyValue ||
      roles.changed ||
      templateId.packageId !== contract.templateId.packageId ||
      packageName !== contract.packageName;
    const synchronizerId = this.synchronizer(contract);
    const instance: ContractInstance = {
      serializationVersion: contract.instance?.serializationVersion ?? (keyValue === undefined ? '2.1' : '2'),
      contractId: minted ? (options.mint as Mint).localId(contract.contractId) : contract.contractId,
      packageName,
      templateId,
      createArgument:
        newArgument === argument && contract.argument.form === 'bytes' && !minted
          ? contract.argument.bytes
          : encodeValue(newArgument),
      nonMaintainerSignatories: roles.nonMaintainers,
      nonSignatoryStakeholders: roles.observers,
      createdAt: contract.createdAt ?? options.createdAt ?? missingCreatedAt(contract),
      authenticationData: minted
        ? (options.mint as Mint).authenticationData(contract.contractId)
        : (contract.authenticationData as Buffer),
    };
    if (newKey !== undefined) {
      instance.key = {
        value:
          newKey === keyValue && contract.key?.value.form === 'bytes'
            ? contract.key.value.bytes
            : encodeValue(newKey),
        maintainers: roles.maintainers,
        hash: contract.key?.hash ?? Buffer.alloc(32),
      };
    }
    return {
      tableId,
      sourceId: contract.contractId,
      instance,
      argument: newArgument,
      keyValue: newKey,
      references: this.references,
      changed,
      minted,
      version: minted ? options.mintVersion : version,
      representativePackageId: this.representative(contract, templateId),
      synchronizerId,
      witnesses:
        contract.witnesses === undefined ? undefined : unique(contract.witnesses.map((p) => this.party(p))),
      signatories: roles.signatories,
      observers: roles.observers,
    };
  }

  private templateId(contract: SourceContract): TemplateId {
    const packageId = packageIdOf(contract, { compiler: this.options.compiler });
    if (packageId === undefined) throw packageNeeded(contract, contract.templateId);
    const renamed = this.rename(this.options.packageMap, packageId);
    const templateId =
      renamed === contract.templateId.packageId
        ? contract.templateId
        : { ...contract.templateId, packageId: renamed };
    const known = this.options.compiler?.packages.get(renamed);
    const lf1 =
      known === undefined
        ? contract.lfLine === '1' && renamed === packageId
        : known.languageVersion.startsWith('1.');
    if (lf1) this.report.add('LF1_PAYLOAD', contract.contractId, `package ${renamed}`);
    return templateId;
  }

  private plan({ packageId, moduleName, entityName }: TemplateId): TemplatePlan | undefined {
    const { compiler } = this.options;
    if (compiler?.packages.get(packageId) === undefined) return undefined;
    return compiler.template(packageId, `${moduleName}:${entityName}`);
  }

  private packageName(contract: SourceContract, templateId: TemplateId): string {
    if (templateId.packageId === contract.templateId.packageId && contract.packageName)
      return contract.packageName;
    const known = this.options.compiler?.packages.get(templateId.packageId)?.name;
    if (known) return known;
    const name = packageNameOf(contract, { compiler: this.options.compiler }, templateId.packageId);
    if (name === undefined) throw packageNeeded(contract, templateId);
    return name;
  }

  private representative(contract: SourceContract, templateId: TemplateId): string {
    const old = contract.representativePackageId;
    if (old === undefined) return templateId.packageId;
    if (old === '') return '';
    return this.rename(this.options.packageMap, old);
  }

  private synchronizer(contract: SourceContract): string {
    const old = contract.synchronizerId || this.options.synchronizerId;
    if (old === undefined) {
      throw new AcsError(
        'SYNCHRONIZER_NEEDED',
        'the source does not say on which synchronizer the contract is',
        {
          contractId: contract.contractId,
          hint: 'give --synchronizer',
        },
      );
    }
    return this.rename(this.options.synchronizerMap, old);
  }

  private rename(map: ReadonlyMap<string, string> | undefined, old: string): string {
    const fresh = map?.get(old);
    if (fresh === undefined) return old;
    this.renamed.add(old);
    return fresh;
  }

  private roles(contract: SourceContract) {
    const signatories = sortedUnique(contract.signatories.map((party) => this.party(party)));
    const signing = new Set(signatories);
    const mappedObservers = sortedUnique(contract.observers.map((party) => this.party(party)));
    const observers = mappedObservers.filter((party) => !signing.has(party));
    if (contract.key !== undefined && contract.key.maintainers === undefined) {
      throw new AcsError('MAINTAINERS_MISSING', 'the source does not name the maintainers of the key', {
        contractId: contract.contractId,
        hint: 'neither the Ledger API nor JSON has them; use a snapshot of the participant',
      });
    }
    const maintainers = sortedUnique((contract.key?.maintainers ?? []).map((party) => this.party(party)));
    const maintaining = new Set(maintainers);
    if (signatories.length < contract.signatories.length || observers.length < contract.observers.length) {
      this.report.add('ROLES_CHANGED', contract.contractId);
    }
    const changed =
      !equalLists(signatories, contract.signatories) ||
      !equalLists(observers, contract.observers) ||
      (contract.key !== undefined && !equalLists(maintainers, sortedUnique(contract.key.maintainers ?? [])));
    if (!equalLists(signatories, contract.signatories))
      this.report.add('SIGNATORIES_CHANGED', contract.contractId);
    return {
      signatories,
      observers,
      // A source that was left alone keeps the order of its maintainers.
      maintainers: changed ? maintainers : [...(contract.key?.maintainers ?? [])],
      nonMaintainers: signatories.filter((party) => !maintaining.has(party)),
      changed,
    };
  }
}

type Typing = Parameters<typeof argumentOf>[1];

function sourceArgument(contract: SourceContract, typing: Typing): LfValue {
  return contract.instance === undefined
    ? argumentOf(contract, typing)
    : decodeValue(contract.instance.createArgument);
}

function sourceKey(contract: SourceContract, typing: Typing): LfValue | undefined {
  const { instance } = contract;
  if (instance === undefined) return keyOf(contract, typing);
  return instance.key === undefined ? undefined : decodeValue(instance.key.value);
}

function unique(parties: readonly string[]): readonly string[] {
  return parties.length < 2 ? parties : [...new Set(parties)];
}

function sortedUnique(parties: readonly string[]): string[] {
  return parties.length < 2 ? [...parties] : [...new Set(parties)].sort();
}

function equalLists(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function missingCreatedAt(contract: SourceContract): never {
  throw new AcsError('CREATED_AT_NEEDED', 'the source does not say when the contract was created', {
    contractId: contract.contractId,
    hint: 'give --created-at, a time not after the present time of the target synchronizer',
  });
}

function seedNeeded(contract: SourceContract, version: ContractIdVersion | undefined): AcsError {
  return new AcsError(
    'SEED_NEEDED',
    version === undefined
      ? 'the contract id is not one that Canton 3 imports: a new one has to be minted'
      : 'the source has no salt, so the contract id cannot be checked: a new one has to be minted',
    { contractId: contract.contractId, hint: 'give --seed (the same one for every run and participant)' },
  );
}

function packageNeeded(
  contract: SourceContract,
  { packageId, moduleName, entityName }: TemplateId,
): AcsError {
  return new AcsError('PACKAGE_MISSING', 'the package of the contract is not among the given DARs', {
    contractId: contract.contractId,
    expected: `${packageId}:${moduleName}:${entityName}`,
    hint: 'give the DAR that contains it with --dar, or the new package with --package-map',
  });
}
