/** The created event around a rewritten contract: every copy of what the blob holds (contract-id spec, 7.1 item 5). */

import { plainRecord, plainValue } from '../convert/plainLedgerApiValue.js';
import type { SourceContract } from '../convert/sourceContract.js';
import { AcsError } from '../io/error.js';
import { type CreatedEventParts, encodeCreatedEvent } from '../snapshot/encodeRecord.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { encodeLedgerApiRecord, encodeLedgerApiValue } from '../typed/ledgerApiValueWriter.js';
import type { PlanCompiler, TemplatePlan } from '../typed/typePlan.js';
import { WireReader } from '../wire/reader.js';
import type { Prepared } from './prepareContract.js';
import type { RemapCode } from './remapFindings.js';

/** Which fields an event has; a minimal record has few. */
interface EventShape {
  has: boolean[];
  /** Arguments with labels and type ids. */
  verbose: boolean;
  acsDelta: boolean;
}

const FULL: EventShape = {
  has: Array.from({ length: 17 }, (_, field) => field !== EVENT.interfaceViews),
  verbose: false,
  acsDelta: true,
};

/** `blob` and `keyHash` are the new ones. `note` hears of what could not be carried over. */
export function rewriteEvent(
  contract: SourceContract,
  prepared: Prepared,
  contractId: string,
  blob: Buffer,
  compiler: PlanCompiler | undefined,
  note: (code: RemapCode) => void,
): Buffer {
  const shape = contract.event === undefined ? FULL : eventShape(contract.event);
  const { has } = shape;
  const { instance } = prepared;
  if (has[EVENT.interfaceViews]) note('VIEWS_DROPPED');
  const parts: CreatedEventParts = { contractId, createdEventBlob: blob, acsDelta: shape.acsDelta };
  if (contract.offset !== undefined) parts.offset = contract.offset;
  if (contract.nodeId !== undefined) parts.nodeId = contract.nodeId;
  if (has[EVENT.templateId]) parts.templateId = instance.templateId;
  const plan = shape.verbose ? verbosePlan(prepared, compiler, note) : undefined;
  if (has[EVENT.createArguments]) {
    parts.createArguments =
      plan === undefined
        ? plainRecord(prepared.argument)
        : encodeLedgerApiRecord(plan.arg, prepared.argument, 'verbose');
  }
  if (prepared.keyValue !== undefined && instance.key !== undefined) {
    if (has[EVENT.contractKey]) {
      parts.contractKey =
        plan === undefined || plan.key === null
          ? plainValue(prepared.keyValue)
          : encodeLedgerApiValue(plan.key, prepared.keyValue, 'verbose');
    }
    if (has[EVENT.contractKeyHash]) parts.contractKeyHash = instance.key.hash;
  }
  if (has[EVENT.witnessParties]) {
    parts.witnessParties = prepared.witnesses ?? [...prepared.signatories, ...prepared.observers].sort();
  }
  if (has[EVENT.signatories]) {
    parts.signatories = prepared.signatories;
    parts.observers = prepared.observers;
  }
  if (has[EVENT.createdAt]) parts.createdAt = instance.createdAt;
  if (has[EVENT.packageName]) parts.packageName = instance.packageName;
  if (has[EVENT.representativePackageId]) parts.representativePackageId = prepared.representativePackageId;
  return encodeCreatedEvent(parts);
}

function eventShape(event: Buffer): EventShape {
  const has: boolean[] = new Array(17).fill(false);
  let verbose = false;
  let acsDelta = false;
  const r = new WireReader(event);
  while (r.pos < r.end) {
    const tag = r.tag();
    const field = tag >>> 3;
    if (field < 17) has[field] = true;
    if (field === EVENT.createArguments && (tag & 7) === 2) {
      const n = r.length();
      verbose = n > 0 && isVerbose(event, r.pos, r.pos + n);
      r.pos += n;
    } else if (field === EVENT.acsDelta && (tag & 7) === 0) acsDelta = r.bool();
    else r.skip(tag & 7);
  }
  return { has, verbose, acsDelta };
}

/** A record id, or a label on the first field. */
function isVerbose(buf: Buffer, start: number, end: number): boolean {
  if (buf[start] === 0x0a) return true;
  const r = new WireReader(buf, start, end);
  r.tag();
  const n = r.length();
  return n > 0 && buf[r.pos] === 0x0a;
}

function verbosePlan(
  prepared: Prepared,
  compiler: PlanCompiler | undefined,
  note: (code: RemapCode) => void,
): TemplatePlan | undefined {
  const { moduleName, entityName, packageId } = prepared.instance.templateId;
  for (const id of [prepared.representativePackageId, packageId]) {
    if (id === '' || compiler?.packages.get(id) === undefined) continue;
    try {
      return compiler.template(id, `${moduleName}:${entityName}`);
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
    }
  }
  note('LABELS_DROPPED');
  return undefined;
}
