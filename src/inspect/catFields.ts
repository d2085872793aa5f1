/** The fields that `acs cat` prints: their names, and how each is written as JSON. */
import { classifyContractId, contractIdLabel } from '../contract/contractId.js';
import type { ContractView } from '../contract/contractView.js';
import { eventComparer } from '../contract/eventAgainstBlob.js';
import { writePositionalJson } from '../contract/positionalJson.js';
import { formatMicros } from '../contract/time.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { Interner } from '../wire/interner.js';
import type { JsonBytes } from '../wire/jsonBytes.js';
import { interfaceViews } from './interfaceViews.js';

/** How an argument and a key are printed with their names: JSON texts. */
export interface RenderedArgument {
  /** The package whose types were used. */
  packageId: string;
  createArgument: string;
  contractKey?: string;
}

/** Undefined when no package fits: then the argument is printed positionally. */
export type ArgumentRenderer = (view: ContractView) => RenderedArgument | undefined;

/** Every field, in the order of printing. */
export const CAT_FIELDS = [
  'record',
  'contractId',
  'contractIdVersion',
  'templateId',
  'packageName',
  'representativePackageId',
  'synchronizerId',
  'reassignmentCounter',
  'createdAt',
  'signatories',
  'observers',
  'witnessParties',
  'offset',
  'nodeId',
  'acsDelta',
  'serializationVersion',
  'authenticationData',
  'argumentForm',
  'argumentPackageId',
  'createArgument',
  'contractKey',
  'maintainers',
  'contractKeyHash',
  'interfaceViews',
  'blobDiffers',
  'createdEventBlob',
] as const;

export type CatField = (typeof CAT_FIELDS)[number];

/** Appends a field's JSON. False when the contract has no such field: then nothing may have been written. */
export type FieldWriter = (out: JsonBytes, view: ContractView) => boolean;

export interface FieldWriters {
  /** One per field asked for. */
  readonly writers: readonly FieldWriter[];
  /** Call it before the fields of each contract. */
  nextContract(): void;
}

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MAX_TEMPLATES = 10_000;

export function fieldWriters(fields: readonly CatField[], render?: ArgumentRenderer): FieldWriters {
  const compare = eventComparer();
  const templateId = templateIdWriter();
  let rendered: RenderedArgument | undefined;
  let isRendered = false;

  function argument(view: ContractView): RenderedArgument | undefined {
    if (!isRendered) rendered = render?.(view);
    isRendered = true;
    return rendered;
  }

  const WRITERS: Record<CatField, FieldWriter> = {
    record: (out, { record }) => ascii(out, `${record.index}`),
    contractId(out, view) {
      if (view.record.has(EVENT.contractId)) return eventString(out, view, EVENT.contractId);
      const { blob } = view;
      out.hex(blob.buf, blob.contractIdStart, blob.contractIdEnd);
      return true;
    },
    contractIdVersion(out, { blob }) {
      const info = classifyContractId(blob.buf, blob.contractIdStart, blob.contractIdEnd);
      return ascii(out, `"${contractIdLabel(info)}"`);
    },
    templateId,
    packageName(out, view) {
      if (view.record.has(EVENT.packageName)) return eventString(out, view, EVENT.packageName);
      const { blob } = view;
      out.string(blob.buf, blob.packageNameStart, blob.packageNameEnd);
      return true;
    },
    representativePackageId: (out, view) => eventString(out, view, EVENT.representativePackageId),
    synchronizerId(out, { record }) {
      out.string(record.buf, record.synchronizerStart, record.synchronizerEnd);
      return true;
    },
    reassignmentCounter: (out, { record }) =>
      // As Canton reads it.
      ascii(out, record.counterIsZero ? '"0"' : `"${BigInt.asIntN(64, record.reassignmentCounter)}"`),
    createdAt(out, view) {
      const micros = view.createdAtNumber;
      return Number.isNaN(micros)
        ? json(out, formatMicros(view.createdAt))
        : ascii(out, `"${formatMicros(micros)}"`);
    },
    signatories: (out, view) =>
      view.record.has(EVENT.signatories)
        ? partyList(out, view, EVENT.signatories)
        : json(out, view.blob.signatories),
    observers: (out, view) =>
      view.record.has(EVENT.signatories)
        ? partyList(out, view, EVENT.observers)
        : json(out, view.blob.nonSignatoryStakeholders),
    witnessParties: (out, view) => partyList(out, view, EVENT.witnessParties),
    offset: (out, { record }) => record.has(EVENT.offset) && ascii(out, `"${record.ledgerOffset}"`),
    nodeId: (out, { record }) => ascii(out, record.has(EVENT.nodeId) ? `${record.nodeId}` : '0'),
    acsDelta: (out, { record }) => record.has(EVENT.acsDelta) && ascii(out, `${record.acsDelta}`),
    serializationVersion: (out, { blob }) => ascii(out, `"${blob.serializationVersion}"`),
    authenticationData(out, { blob }) {
      out.hex(blob.buf, blob.authenticationStart, blob.authenticationEnd);
      return true;
    },
    argumentForm: (out, view) => ascii(out, argument(view) === undefined ? '"positional"' : '"labelled"'),
    argumentPackageId(out, view) {
      const packageId = argument(view)?.packageId;
      return packageId !== undefined && ascii(out, `"${packageId}"`);
    },
    createArgument(out, view) {
      const labelled = argument(view);
      const { blob } = view;
      if (labelled === undefined) writePositionalJson(out, blob.buf, blob.argumentStart, blob.argumentEnd);
      else out.text(labelled.createArgument);
      return true;
    },
    contractKey(out, view) {
      const { blob } = view;
      const labelled = argument(view);
      if (labelled === undefined && blob.hasKey)
        writePositionalJson(out, blob.buf, blob.keyValueStart, blob.keyValueEnd);
      else if (labelled?.contractKey === undefined) return false;
      else out.text(labelled.contractKey);
      return true;
    },
    maintainers: (out, { blob }) => blob.hasKey && json(out, blob.maintainers),
    contractKeyHash(out, { blob }) {
      if (blob.hasKey) out.hex(blob.buf, blob.keyHashStart, blob.keyHashEnd);
      return blob.hasKey;
    },
    interfaceViews: (out, { record }) =>
      record.has(EVENT.interfaceViews) && json(out, interfaceViews(record)),
    blobDiffers(out, view) {
      const differences = compare(view);
      if (differences.length === 0) return false;
      return json(out, Object.fromEntries(differences.map((d) => [d.field, d.blob])));
    },
    createdEventBlob(out, { blob, record }) {
      const start = record.eventFields[2 * EVENT.createdEventBlob];
      const end = record.eventFields[2 * EVENT.createdEventBlob + 1];
      return ascii(out, `"${blob.buf.toString('base64', start, end)}"`);
    },
  };

  return {
    writers: fields.map((field) => WRITERS[field]),
    nextContract() {
      isRendered = false;
    },
  };
}

function ascii(out: JsonBytes, text: string): true {
  out.ascii(text);
  return true;
}

function json(out: JsonBytes, value: unknown): true {
  out.text(JSON.stringify(value));
  return true;
}

function eventString(out: JsonBytes, { record }: ContractView, field: number): true {
  const start = record.eventFields[2 * field];
  if (start < 0) out.ascii('""');
  else out.string(record.buf, start, record.eventFields[2 * field + 1]);
  return true;
}

function partyList(out: JsonBytes, { record }: ContractView, field: number): true {
  out.char(OPEN_BRACKET);
  record.eachString(field, listElement, out);
  out.char(CLOSE_BRACKET);
  return true;
}

function listElement(buf: Buffer, start: number, end: number, out: JsonBytes): void {
  if (out.last !== OPEN_BRACKET) out.char(COMMA);
  out.string(buf, start, end);
}

/** Template ids repeat from record to record: their JSON is kept. */
function templateIdWriter(): FieldWriter {
  const ids = new Interner(MAX_TEMPLATES);
  const known: Buffer[] = [];
  let last = -1;
  return (out, view) => {
    const { record } = view;
    const start = record.eventFields[2 * EVENT.templateId];
    const end = record.eventFields[2 * EVENT.templateId + 1];
    last = start < 0 ? -1 : ids.id(record.buf, start, end, last);
    if (last >= 0 && last < known.length) {
      out.json(known[last]);
      return true;
    }
    const { packageId, moduleName, entityName } = view.templateId;
    const text = Buffer.from(JSON.stringify(`${packageId}:${moduleName}:${entityName}`));
    if (last >= 0) known[last] = text;
    out.json(text);
    return true;
  };
}
