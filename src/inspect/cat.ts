/** `acs cat`: one line per contract, every field of the event, and those of the blob that differ from it. */
import { classifyContractId, contractIdLabel } from '../contract/contractId.js';
import { ContractView } from '../contract/contractView.js';
import { eventComparer } from '../contract/eventAgainstBlob.js';
import { positionalJson } from '../contract/positionalJson.js';
import { formatMicros } from '../contract/time.js';
import { usageError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { EVENT, type RecordView } from '../snapshot/record.js';
import { type ScanOptions, type SnapshotFacts, scanSnapshot } from '../snapshot/scan.js';
import { Interner } from '../wire/interner.js';

/** How an argument and a key are printed: JSON texts. */
export interface RenderedArgument {
  /** `labelled` with a package, `positional` without. */
  form: 'labelled' | 'positional';
  /** The package whose types were used. */
  packageId?: string;
  createArgument: string;
  contractKey?: string;
}

export type ArgumentRenderer = (view: ContractView) => RenderedArgument;

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
  'blobDiffers',
  'createdEventBlob',
] as const;

export type CatField = (typeof CAT_FIELDS)[number];

export interface CatOptions extends ScanOptions {
  /** Fields to print, in the order given. Default: all but `createdEventBlob`. */
  fields?: readonly CatField[];
  /** Print `createdEventBlob` (base64) too. */
  blob?: boolean;
  /** Stop after so many contracts. */
  limit?: number;
  /** Only these contract ids (lower-case hex). */
  contracts?: ReadonlySet<string>;
  render?: ArgumentRenderer;
}

/** One contract as field texts: each value is JSON; undefined when the contract has no such field. */
export type CatRow = (string | undefined)[];

/** Checks field names given by a user. */
export function parseFields(names: readonly string[]): CatField[] {
  return names.map((name) => {
    if (!(CAT_FIELDS as readonly string[]).includes(name)) {
      throw usageError(`no field is called ${name}`, `fields: ${CAT_FIELDS.join(', ')}`);
    }
    return name as CatField;
  });
}

export function catFields(options: CatOptions): readonly CatField[] {
  if (options.fields !== undefined) {
    return options.blob && !options.fields.includes('createdEventBlob')
      ? [...options.fields, 'createdEventBlob']
      : options.fields;
  }
  return options.blob ? CAT_FIELDS : CAT_FIELDS.filter((field) => field !== 'createdEventBlob');
}

/** Visits the chosen contracts of a file as rows. Empty records of in-flight contracts are skipped and counted. */
export function catSnapshot(
  input: ByteInput,
  emit: (row: CatRow, fields: readonly CatField[]) => void,
  options: CatOptions = {},
): Promise<SnapshotFacts> {
  const fields = catFields(options);
  const view = new ContractView();
  const row = rowMaker(fields, options.render ?? renderPositional);
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  return scanSnapshot(
    input,
    (record) => {
      if (left <= 0) return false;
      if (record.inFlight) return true;
      view.of(record);
      if (options.contracts !== undefined && !options.contracts.has(view.contractId)) return true;
      emit(row(view), fields);
      return --left > 0;
    },
    options,
  );
}

/** The row as one JSON line; absent fields are left out. */
export function rowJson(row: CatRow, fields: readonly CatField[]): string {
  let line = '';
  for (let i = 0; i < fields.length; i++) {
    const text = row[i];
    if (text !== undefined) line += `${line === '' ? '{' : ','}"${fields[i]}":${text}`;
  }
  return line === '' ? '{}\n' : `${line}}\n`;
}

/** Positional rendering: no package needed. */
export const renderPositional: ArgumentRenderer = (view) => {
  const { blob } = view;
  const rendered: RenderedArgument = {
    form: 'positional',
    createArgument: positionalJson(blob.buf, blob.argumentStart, blob.argumentEnd),
  };
  if (blob.hasKey) rendered.contractKey = positionalJson(blob.buf, blob.keyValueStart, blob.keyValueEnd);
  return rendered;
};

/** Texts repeated from record to record (parties, ids), already as JSON. */
class JsonTexts {
  private readonly names = new Interner(1 << 16);
  private readonly texts: string[] = [];

  of(buf: Buffer, start: number, end: number): string {
    const id = this.names.id(buf, start, end);
    if (id < 0) return JSON.stringify(buf.toString('utf8', start, end));
    let text = this.texts[id];
    if (text === undefined) {
      text = JSON.stringify(this.names.text(id));
      this.texts[id] = text;
    }
    return text;
  }
}

function rowMaker(fields: readonly CatField[], render: ArgumentRenderer): (view: ContractView) => CatRow {
  const texts = new JsonTexts();
  const templates = new Map<string, string>();
  const compare = eventComparer();
  let rendered: RenderedArgument | undefined;

  const argument = (view: ContractView): RenderedArgument => {
    rendered ??= render(view);
    return rendered;
  };

  function partyList(view: ContractView, field: number, fromBlob: () => string[]): string {
    const { record } = view;
    if (!record.has(EVENT.signatories) && field !== EVENT.witnessParties) return JSON.stringify(fromBlob());
    let list = '';
    record.eachString(field, (buf, start, end) => {
      list += list === '' ? texts.of(buf, start, end) : `,${texts.of(buf, start, end)}`;
    });
    return `[${list}]`;
  }

  function eventText(record: RecordView, field: number): string {
    const start = record.eventFields[2 * field];
    return start < 0 ? '""' : texts.of(record.buf, start, record.eventFields[2 * field + 1]);
  }

  const MAKERS: Record<CatField, (view: ContractView) => string | undefined> = {
    record: (view) => `${view.record.index}`,
    contractId: (view) => `"${view.contractId}"`,
    contractIdVersion: (view) => {
      const { blob } = view;
      return `"${contractIdLabel(classifyContractId(blob.buf, blob.contractIdStart, blob.contractIdEnd))}"`;
    },
    templateId: (view) => {
      const { record } = view;
      const start = record.eventFields[2 * EVENT.templateId];
      const key =
        start < 0 ? '' : record.buf.toString('latin1', start, record.eventFields[2 * EVENT.templateId + 1]);
      const known = key === '' ? undefined : templates.get(key);
      if (known !== undefined) return known;
      const { packageId, moduleName, entityName } = view.templateId;
      const text = JSON.stringify(`${packageId}:${moduleName}:${entityName}`);
      if (key !== '' && templates.size < 10_000) templates.set(key, text);
      return text;
    },
    packageName: (view) =>
      view.record.has(EVENT.packageName)
        ? eventText(view.record, EVENT.packageName)
        : JSON.stringify(view.packageName),
    representativePackageId: (view) => eventText(view.record, EVENT.representativePackageId),
    synchronizerId: (view) =>
      texts.of(view.record.buf, view.record.synchronizerStart, view.record.synchronizerEnd),
    reassignmentCounter: (view) =>
      view.record.counterIsZero ? '"0"' : `"${view.record.reassignmentCounter}"`,
    createdAt: (view) => `"${formatMicros(view.createdAt)}"`,
    signatories: (view) => partyList(view, EVENT.signatories, () => view.blob.signatories),
    observers: (view) => partyList(view, EVENT.observers, () => view.blob.nonSignatoryStakeholders),
    witnessParties: (view) => partyList(view, EVENT.witnessParties, () => []),
    offset: (view) => (view.record.has(EVENT.offset) ? `"${view.record.ledgerOffset}"` : undefined),
    nodeId: (view) => `${view.record.nodeId}`,
    acsDelta: (view) => (view.record.has(EVENT.acsDelta) ? `${view.record.acsDelta}` : undefined),
    serializationVersion: (view) => `"${view.blob.serializationVersion}"`,
    authenticationData: (view) => `"${view.blob.authenticationData.toString('hex')}"`,
    argumentForm: (view) => `"${argument(view).form}"`,
    argumentPackageId: (view) => {
      const { packageId } = argument(view);
      return packageId === undefined ? undefined : `"${packageId}"`;
    },
    createArgument: (view) => argument(view).createArgument,
    contractKey: (view) => argument(view).contractKey,
    maintainers: (view) => (view.blob.hasKey ? JSON.stringify(view.blob.maintainers) : undefined),
    contractKeyHash: (view) => (view.blob.hasKey ? `"${view.blob.keyHash.toString('hex')}"` : undefined),
    blobDiffers: (view) => {
      const differences = compare(view);
      if (differences.length === 0) return undefined;
      return JSON.stringify(Object.fromEntries(differences.map((d) => [d.field, d.blob])));
    },
    createdEventBlob: (view) => {
      const { blob } = view;
      const { record } = view;
      const start = record.eventFields[2 * EVENT.createdEventBlob];
      return `"${blob.buf.toString('base64', start, record.eventFields[2 * EVENT.createdEventBlob + 1])}"`;
    },
  };
  const makers = fields.map((field) => MAKERS[field]);

  return (view) => {
    rendered = undefined;
    const row: CatRow = new Array(makers.length);
    for (let i = 0; i < makers.length; i++) row[i] = makers[i](view);
    return row;
  };
}
