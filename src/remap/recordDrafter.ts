/**
 * What the first pass makes of one record of format A, without anything that must be shared between records: the blob
 * with everything but its references changed, and the id that follows. So it may be made on any thread.
 */
import { BlobView } from '../contract/blob.js';
import type { ContractIdVersion } from '../contract/contractId.js';
import { ContractView } from '../contract/contractView.js';
import type { ContractHasher } from '../hash/contractHasher.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { Interner } from '../wire/interner.js';
import { authenticityFault, newContractId } from './newContractId.js';
import type { PartyMap } from './partyMap.js';
import { RecordRewriter } from './recordRewriter.js';
import type { TextParties } from './textParties.js';

const MAX_PACKAGES = 1 << 12;
/** By the last byte of the suffix prefix, less `10` hex. */
const V1_VERSIONS: readonly ContractIdVersion[] = ['V10', 'V11', 'V12'];

/** The members are those of the last record, valid until the next one. */
export class RecordDrafter {
  /** The blob as the source has it. */
  old!: BlobView;
  /** With the old id and the old references. */
  blob!: Buffer;
  /** Raw ids; may repeat. */
  readonly references: Buffer[] = [];
  changed = false;
  signatoriesChanged = false;
  representativePackageId = '';
  /** Why the contract was not genuine, see {@link settle}. */
  fault: string | undefined;
  /** The new id, see {@link settle}. */
  newId: Buffer | undefined;
  private readonly hasher: ContractHasher;
  private readonly contract = new ContractView();
  private readonly rewriter: RecordRewriter;
  private readonly view = new BlobView();
  private readonly name = (): string => this.old.contractId;
  /** Representative packages: a text is made of each once. */
  private readonly packages = new Interner(MAX_PACKAGES);
  private readonly packageIds: string[] = [];
  private lastPackage = -1;

  /** `onParty` hears of every party once, with the first contract that has it. */
  constructor(
    map: PartyMap,
    texts: TextParties,
    hasher: ContractHasher,
    onParty: (party: string, contractId: string) => void,
  ) {
    this.hasher = hasher;
    this.rewriter = new RecordRewriter({
      party: (party) => {
        onParty(party, this.contract.contractId);
        return map.get(party) ?? party;
      },
      reference: (buf, start, end) => {
        this.references.push(buf.subarray(start, end));
        return undefined;
      },
      plainText: (buf, start, end) => !texts.looksInto(buf, start, end),
      synchronizer: (id) => id,
    });
  }

  get version(): ContractIdVersion {
    return V1_VERSIONS[this.old.buf[this.old.contractIdStart + 34] - 0x10];
  }

  /** Rewrites. False: the record is not of the ordinary kind, and has to go the long way. */
  rewrite(record: RecordView): boolean {
    const view = this.contract.of(record);
    if (!view.hasBlob || !this.rewriter.accepts(record, view.blob)) return false;
    this.references.length = 0;
    const blob = this.rewriter.blob(view.blob);
    if (blob === undefined) return false;
    // Witnesses are no part of the content, but parties that the map may lack.
    this.rewriter.witnessesChange(record);
    this.old = view.blob;
    this.blob = blob;
    this.changed = this.rewriter.changed;
    this.signatoriesChanged = this.rewriter.signatoriesChanged;
    this.representativePackageId = this.packageOf(record);
    return true;
  }

  private packageOf(record: RecordView): string {
    const start = record.eventFields[2 * EVENT.representativePackageId];
    if (start < 0) return '';
    const end = record.eventFields[2 * EVENT.representativePackageId + 1];
    const number = this.packages.id(record.buf, start, end, this.lastPackage);
    if (number < 0) return record.representativePackageId;
    this.lastPackage = number;
    this.packageIds[number] ??= record.representativePackageId;
    return this.packageIds[number];
  }

  /** Checks the old id and computes the new one where no reference stands in the way. Errors: those of both. */
  settle(): void {
    this.fault = undefined;
    this.newId = undefined;
    if (!this.changed) return;
    const { representativePackageId: representative, old } = this;
    this.fault = authenticityFault(this.hasher, old, representative, representative);
    if (this.references.length > 0) return;
    this.newId = newContractId(this.hasher, this.view, this.blob, this.version, representative, this.name);
  }
}
